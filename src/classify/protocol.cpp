#include <wirelag/classify/protocol.hpp>

namespace wirelag {

std::string_view name(Protocol protocol) {
  switch (protocol) {
    case Protocol::unknown: return "unknown";
#define X(symbol, text, meaning) \
  case Protocol::symbol: return text;
      WIRELAG_PROTOCOLS(X)
#undef X
  }
  return "unknown";
}

}  // namespace wirelag
