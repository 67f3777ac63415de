#include <charconv>

#include <wirelag/track/database/key_pattern.hpp>
#include <wirelag/track/memcached/tracker.hpp>

namespace wirelag {
namespace {

/// DatabaseExchange::kind: what its replies may be. Binary: 0x100 + opcode.
enum Kind : std::uint16_t {
  kText,
  kGetOne,
  kMetaGet,
  kMetaOther,
  kMetaNoop,
  kSilent,
  kBinary = 0x100
};

constexpr std::uint8_t kStat = 0x10;
constexpr std::uint8_t kQuit = 0x07;
constexpr std::uint8_t kSaslAuth = 0x21;
constexpr std::uint8_t kSaslStep = 0x22;

struct Opcode {
  std::string_view name;  ///< as the text protocol calls it, quiet or not
  bool quiet;
};

Opcode opcode(std::uint8_t code) {
  static constexpr Opcode kOpcodes[] = {
      {"get", false},       {"set", false},       {"add", false},       {"replace", false},
      {"delete", false},    {"incr", false},      {"decr", false},      {"quit", false},
      {"flush_all", false}, {"get", true},        {"noop", false},      {"version", false},
      {"get", false},       {"get", true},        {"append", false},    {"prepend", false},
      {"stats", false},     {"set", true},        {"add", true},        {"replace", true},
      {"delete", true},     {"incr", true},       {"decr", true},       {"quit", true},
      {"flush_all", true},  {"append", true},     {"prepend", true},    {"verbosity", false},
      {"touch", false},     {"gat", false},       {"gat", true},        {"?", false},
      {"sasl_list", false}, {"sasl_auth", false}, {"sasl_step", false}, {"gat", false},
      {"gat", true}};
  return code < std::size(kOpcodes) ? kOpcodes[code] : Opcode{"?", false};
}

bool has_key(std::string_view word) {
  return word != "stats" && word != "version" && word != "flush_all" && word != "verbosity" &&
         word != "quit" && word != "mn" && word != "noop" && !word.starts_with("sasl");
}

bool is_error(std::string_view word) {
  return word == "ERROR" || word == "CLIENT_ERROR" || word == "SERVER_ERROR";
}

/// Commands are lower-case words; anything else is not repeated in a report.
bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

MemcachedTracker::MemcachedTracker(const DatabaseLimits& limits, DatabaseExchanges& exchanges,
                                   Counters& counters)
    : exchanges_(exchanges), counters_(counters), connections_(limits.connections) {}

StreamTracker::Handle MemcachedTracker::open(const StreamContext& context) {
  const Handle handle = connections_.take();
  if (handle == Pool<Connection>::kNone) {
    counters_.add(Counter::database_streams_full);
    return kNone;
  }
  Connection& c = connections_[handle];
  c.base.context = context;
  c.base.doubt = !context.from_start;
  c.lost = {!context.from_start, !context.from_start};
  return handle;
}

void MemcachedTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  Connection& c = connections_[handle];
  const Direction d = chunk.direction;
  Bytes rest = chunk.bytes;
  if (c.lost[index(d)]) {
    if (!may_begin_memcached(rest, d)) {
      counters_.add(Counter::database_bytes_skipped, rest.size());
      return;
    }
    c.lost[index(d)] = false;
  }
  MemcachedReader& reader = c.reader[index(d)];
  MessageArrival& arrival = c.arrival[index(d)];
  while (!rest.empty()) {
    const std::size_t before = rest.size();
    const MemcachedStep step = reader.read(rest);
    if (step == MemcachedStep::malformed) {
      counters_.add(Counter::database_malformed);
      counters_.add(Counter::database_bytes_skipped, rest.size());
      return lose(c, d);
    }
    arrival.add(chunk, chunk.bytes.size() - before, before - rest.size());
    if (step == MemcachedStep::more) continue;
    d == Direction::c2s ? on_request(c) : on_reply(c);
    arrival = {};
  }
}

void MemcachedTracker::on_gap(Handle handle, Direction d, std::uint64_t missing) {
  Connection& c = connections_[handle];
  if (c.lost[index(d)] || !c.reader[index(d)].skip(missing)) return lose(c, d);
  c.arrival[index(d)].bytes += missing;
}

void MemcachedTracker::on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) {
  Connection& c = connections_[handle];
  const Direction d = chunk.direction;
  if (c.lost[index(d)]) return lose(c, d);
  const bool certain =
      d == Direction::s2c && c.base.first != DatabaseExchanges::kNone && !c.base.doubt;
  const bool one_value = certain && exchanges_[c.base.first].kind == kGetOne;
  const MemcachedStep step = c.reader[index(d)].cut(missing, one_value);
  if (step == MemcachedStep::malformed) return lose(c, d);
  MessageArrival& arrival = c.arrival[index(d)];
  arrival.add(chunk, 0, missing);
  if (step == MemcachedStep::more) return;
  d == Direction::c2s ? on_request(c) : on_reply(c);
  arrival = {};
}

void MemcachedTracker::on_fin(Handle handle, Direction d, TimeNs, FrameNumber) {
  if (d == Direction::s2c) exchanges_.release_all(connections_[handle].base);
}

void MemcachedTracker::close(Handle handle) {
  Connection& c = connections_[handle];
  const MessageArrival& reply = c.arrival[index(Direction::s2c)];
  if (reply.bytes > 0 && c.base.first != DatabaseExchanges::kNone && !c.base.doubt) {
    set_response(exchanges_[c.base.first].facts, reply);  // the part of it that was seen
  }
  exchanges_.release_all(c.base);
  connections_.give(handle);
}

/// It is not known any more where messages begin and end.
void MemcachedTracker::lose(Connection& c, Direction d) {
  c.reader[index(d)].reset();
  c.arrival[index(d)] = {};
  c.lost[index(d)] = true;
  exchanges_.lost(c.base, d);
}

void MemcachedTracker::on_request(Connection& c) {
  const MemcachedReader& r = c.reader[index(Direction::c2s)];
  const DatabaseExchanges::Index i = exchanges_.take(c.base);
  const bool quit = r.binary() ? r.opcode() == kQuit || r.opcode() == 0x17 : r.word() == "quit";
  const bool silent = r.noreply() || (quit && !r.binary());
  if (i == DatabaseExchanges::kNone) {
    const bool quiet = r.binary() ? opcode(r.opcode()).quiet : r.quiet();
    if (!silent && !quiet) {
      exchanges_.push(c.base, i, c.arrival[index(Direction::c2s)], Protocol::memcached);
    }
    return;
  }
  DatabaseExchange& e = exchanges_[i];
  const std::string_view text = is_word(r.word()) ? r.word() : "?";
  const std::string_view word = r.binary() ? opcode(r.opcode()).name : text;
  e.operation.append(word);
  e.fingerprint.append(word);
  if (has_key(word) && !r.key().empty()) {
    e.fingerprint.push(' ');
    append_key_pattern(e.fingerprint, r.key().view(), r.key().cut());
  }
  e.opaque = r.opaque();
  if (r.binary()) {
    e.kind = static_cast<std::uint16_t>(kBinary + r.opcode());
    e.may_be_silent = opcode(r.opcode()).quiet;
    e.facts.login = r.opcode() == kSaslAuth || r.opcode() == kSaslStep;
    e.facts.round_trips = e.facts.login ? 1 : 0;
  } else {
    e.kind = silent ? kSilent : word == "mg" ? kMetaGet : word == "mn" ? kMetaNoop : kText;
    if (e.kind == kText && word.size() == 2) e.kind = kMetaOther;
    if ((word == "get" || word == "gets") && r.words() == 2) e.kind = kGetOne;
    e.may_be_silent = silent || r.quiet();
  }
  e.facts.no_reply = e.may_be_silent;
  exchanges_.push(c.base, i, c.arrival[index(Direction::c2s)], Protocol::memcached);
  while (c.base.first != DatabaseExchanges::kNone && exchanges_[c.base.first].kind == kSilent) {
    exchanges_.pass_over(c.base);
  }
}

/// Whether a quiet request would be answered like this, or silence was its answer.
bool MemcachedTracker::can_answer(const DatabaseExchange& e, const MemcachedReader& r) const {
  if (e.kind >= kBinary) {
    return r.binary() && e.kind == kBinary + r.opcode() && e.opaque == r.opaque();
  }
  const std::string_view word = r.word();
  if (e.kind == kSilent) return false;
  if (!e.may_be_silent) return true;
  if (word == "MN") return false;
  if (e.opaque != 0 && r.opaque() != 0 && e.opaque != r.opaque()) return false;
  if (e.kind == kMetaGet) return word == "VA" || word == "HD" || is_error(word);
  return word != "HD";
}

void MemcachedTracker::on_reply(Connection& c) {
  const MemcachedReader& r = c.reader[index(Direction::s2c)];
  const MessageArrival& arrival = c.arrival[index(Direction::s2c)];
  while (c.base.first != DatabaseExchanges::kNone && exchanges_[c.base.first].may_be_silent &&
         !can_answer(exchanges_[c.base.first], r)) {
    exchanges_.pass_over(c.base);
  }
  const bool more_of_it = c.base.first != DatabaseExchanges::kNone &&
                          known(exchanges_[c.base.first].facts.response_first_ns);
  const DatabaseExchanges::Index i =
      more_of_it ? c.base.first : exchanges_.answering(c.base, arrival);
  if (i == DatabaseExchanges::kNone) return;
  DatabaseExchange& e = exchanges_[i];
  if (e.kind >= kBinary && !can_answer(e, r)) {  // replies were lost, or it is not ours
    counters_.add(Counter::database_replies_unpaired);
    return exchanges_.lost(c.base, Direction::s2c);
  }
  settle(e, r);
  MessageArrival whole = arrival;
  if (more_of_it) {
    whole = {e.facts.response_frames,
             e.facts.response_first_ns,
             e.facts.response_last_ns,
             e.facts.response_bytes,
             {}};
    whole.add(arrival);
  }
  // Binary statistics: one reply for each, an empty one at the end.
  if (e.kind == kBinary + kStat && r.has_body() && r.status() == 0) {
    return set_response(e.facts, whole);
  }
  exchanges_.finish(c.base, whole);
  while (c.base.first != DatabaseExchanges::kNone && exchanges_[c.base.first].kind == kSilent) {
    exchanges_.pass_over(c.base);
  }
}

void MemcachedTracker::settle(DatabaseExchange& e, const MemcachedReader& r) const {
  constexpr std::uint16_t kNotFound = 1;
  e.facts.no_reply = false;
  const std::string_view operation = e.operation.view();
  const bool reads =
      operation.starts_with("get") || operation.starts_with("gat") || operation == "mg";
  if (!r.binary()) {
    e.facts.error = is_error(r.word());
    if (e.facts.error) e.error_code.assign(r.word());
    if (!e.facts.error && reads) e.facts.rows = r.word() == "HD" ? 1 : r.values();
    return;
  }
  if (reads && r.status() <= kNotFound) e.facts.rows = r.status() == 0 ? 1 : 0;
  if (r.status() <= kNotFound) return;
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), r.status()).ptr;
  e.facts.error = true;
  e.error_code.assign({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace wirelag
