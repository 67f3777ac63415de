// A conversation with a database, through one tracker: no connection, request or statement is left
// behind, every exchange is sound, and as long as the tracker never has to search for a message, it
// makes no difference where the segments end.
//
//   u8 the connection: bit 0 was open before the capture
//   then u8 direction (bit 0), what (bits 1-2: bytes, bytes, hole, FIN), overtaken (bit 3)
//        u8 size, bytes            or of a hole: u16 size - 1
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <wirelag/track/database/statements.hpp>

#include "hostile/pipeline.hpp"
#include "hostile/require.hpp"
#include "input.hpp"
#include "unit/track/database/conversation.hpp"

namespace wirelag::fuzz {

/// So small that a few messages reach every limit.
inline constexpr DatabaseLimits kTalkLimits{.connections = 1, .open_requests = 16, .statements = 4};

struct CheckedExchanges final : testing::Collector {
  void emit(TransactionRef ref) override {
    hostile::check(*std::get<const DatabaseTransaction*>(ref));
    Collector::emit(ref);
  }
};

template <class Tracker>
class Talk {
 public:
  /// What became of it is in `sink` and `counters`.
  void play(const testing::Script& script, bool from_start) {
    const StreamTracker::Handle handle = tracker_.open({1, {}, {}, from_start});
    for (const testing::Step& step : script) {
      const TimeNs now = step.frame * kMillisecondNs;
      switch (step.kind) {
        case testing::Step::Kind::bytes:
          tracker_.on_bytes(handle, {as_bytes(step.bytes), now, step.frame, step.direction});
          break;
        case testing::Step::Kind::hole:
          tracker_.on_gap(handle, step.direction, step.missing);
          break;
        case testing::Step::Kind::cut:
          tracker_.on_cut(handle, {{}, now, step.frame, step.direction}, step.missing);
          break;
        case testing::Step::Kind::fin:
          tracker_.on_fin(handle, step.direction, now, step.frame);
          break;
      }
      if (tracker_.interest(handle) != StreamInterest::bytes) break;
    }
    tracker_.close(handle);
    WIRELAG_REQUIRE(tracker_.connections_in_use() == 0);
    WIRELAG_REQUIRE(exchanges_.in_use() == 0 && statements_.in_use() == 0);
  }

  Counters counters;
  CheckedExchanges sink;

 private:
  [[nodiscard]] Tracker make() {
    if constexpr (std::is_constructible_v<Tracker, const DatabaseLimits&, DatabaseExchanges&,
                                          DatabaseStatements&, Counters&>) {
      return Tracker(kTalkLimits, exchanges_, statements_, counters);
    } else {
      return Tracker(kTalkLimits, exchanges_, counters);
    }
  }

  DatabaseExchanges exchanges_{kTalkLimits, sink, counters};
  DatabaseStatements statements_{kTalkLimits, counters};
  Tracker tracker_ = make();
};

inline testing::Script script_of(Input& input) {
  testing::Script script;
  for (FrameNumber frame = 3; !input.empty(); ++frame) {
    const std::uint8_t what = input.u8();
    testing::Step step{testing::Step::Kind::bytes,
                       static_cast<Direction>(what & 1U),
                       (what & 8U) != 0 ? frame - 2 : frame,
                       {},
                       0};
    switch (what >> 1 & 3U) {
      case 2:
        step.kind = (what & 16U) != 0 ? testing::Step::Kind::cut : testing::Step::Kind::hole;
        step.missing = input.u16() + std::uint64_t{1};
        break;
      case 3: step.kind = testing::Step::Kind::fin; break;
      default:
        step.bytes = as_text(input.bytes(input.u8()));
        if (step.bytes.empty()) continue;
    }
    script.push_back(std::move(step));
  }
  return script;
}

template <class Tracker>
void talk(Input input) {
  const bool from_start = (input.u8() & 1U) == 0;
  const testing::Script script = script_of(input);
  Talk<Tracker> whole;
  whole.play(script, from_start);
  Talk<Tracker> bytes;
  bytes.play(testing::in_pieces(script, 1), from_start);
  const auto searches = [](const Talk<Tracker>& t) {
    return t.counters.of(Counter::database_malformed) != 0;
  };
  const bool holes = std::any_of(script.begin(), script.end(), [](const testing::Step& step) {
    return step.kind == testing::Step::Kind::hole || step.kind == testing::Step::Kind::cut;
  });
  if (!from_start || holes || searches(whole) || searches(bytes)) return;
  if (whole.sink.lines != bytes.sink.lines) {
    for (const std::string& line : whole.sink.lines) std::fprintf(stderr, "- %s\n", line.c_str());
    for (const std::string& line : bytes.sink.lines) std::fprintf(stderr, "+ %s\n", line.c_str());
  }
  WIRELAG_REQUIRE(whole.sink.lines == bytes.sink.lines);
  WIRELAG_REQUIRE(whole.sink.bytes == bytes.sink.bytes);
}

}  // namespace wirelag::fuzz
