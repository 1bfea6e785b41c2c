// The one place that holds amae's version.
#pragma once

#define AMAE_VERSION "0.1.0"
