// The databases of the signatures as the build has serialised them (prebuild.cpp).
#pragma once

#include <wirelag/base/types.hpp>
#include <wirelag/decode/packet.hpp>

namespace wirelag {

/// Of Transport::tcp or Transport::udp; alive as long as the program.
[[nodiscard]] Bytes prebuilt_signatures(Transport transport);

}  // namespace wirelag
