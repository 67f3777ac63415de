// Names and meanings of the reasons, from the one list that declares them.
#include <wirelag/decode/accounting.hpp>

namespace wirelag {
namespace {

struct Words {
  std::string_view name;
  std::string_view meaning;
};

constexpr std::array<Words, kNotAnalysedReasons + 1> kWords{{{"none", "analysed"},
#define X(symbol, meaning) {#symbol, meaning},
                                                             WIRELAG_NOT_ANALYSED(X)
#undef X
}};

}  // namespace

std::string_view name(NotAnalysed reason) { return kWords[static_cast<std::size_t>(reason)].name; }

std::string_view meaning(NotAnalysed reason) {
  return kWords[static_cast<std::size_t>(reason)].meaning;
}

}  // namespace wirelag
