#include <wirelag/base/counters.hpp>

namespace wirelag {
namespace {

constexpr CounterInfo kInfos[] = {
#define X(symbol, unit, what, nonzero) {#symbol, unit, what, nonzero},
#include <wirelag/base/counters.def>
#undef X
};

}  // namespace

const CounterInfo& info(Counter counter) { return kInfos[static_cast<std::size_t>(counter)]; }

}  // namespace wirelag
