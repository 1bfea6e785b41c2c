# cpack -G DEB, cpack -G TGZ: to be run in the build folder, after everything is built.
set(CPACK_PACKAGE_VENDOR "amae developers")
set(CPACK_PACKAGE_CONTACT "amae developers <amae@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
"A small core trains, evaluates, serves and searches; every model, data set and transform is a plugin, chosen and
configured by one YAML file. Plugins of your own are built against this package: amae plugin new.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_FILE_NAME amae-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)  # amae_VERSION_ARCHITECTURE.deb
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What building plugins takes, and the BLAS that shares LibTorch's threads.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "cmake, ninja-build, g++, libtorch-dev, libopenblas0-openmp")
include(CPack)
