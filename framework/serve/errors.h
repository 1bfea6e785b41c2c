// Exceptions as answers.
#pragma once

#include <exception>

#include "http/message.h"

namespace amae::serve {

/// The status of the API's documentation and the first problem as JSON, with the code of the command line: 400 and 415
/// a request that is not understood, 404 what is not there, 422 content that cannot be used, 500 a fault of ours or the
/// machine's, which is logged too.
http::Response error_response(const std::exception_ptr& why);

}  // namespace amae::serve
