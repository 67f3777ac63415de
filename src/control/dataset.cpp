// One store per kind of transaction: the values in a list, what they show (texts, lists) in blocks beside it.
//
//   values  [v0 v1 v2 v3 ...]          with max_per_kind a ring: the next one replaces the oldest
//   blocks  [block: views of v0 v1][block: views of v2 v3 ...]
//
// Transactions leave in the order they came, so a block can go when the last of its values has
// gone: it keeps a count of them. What a block has already (hosts, methods, statements ...) is not
// put there again. Sorting happens once, in seal(): small keys are sorted, then the
// values (a Connection is half a kilobyte) are moved to their places in a single pass.
#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <tuple>
#include <vector>

#include <wirelag/base/hash.hpp>
#include <wirelag/control/dataset.hpp>

#include "dns_visibility.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kBlockBytes = 1U << 20;

// ------------------------------------------------------------------------------------ the order

FrameNumber first_frame(const Connection& c) { return c.first_frame; }
FrameNumber first_frame(const DnsTransaction& d) {
  return d.query_frames.empty() ? d.response_frame : d.query_frames.front();
}
FrameNumber first_frame(const HttpTransaction& h) {
  return h.request_frames.first != 0 ? h.request_frames.first : h.response_frames.first;
}
FrameNumber first_frame(const TlsHandshake& t) {
  return t.client_hello_frames.first != 0 ? t.client_hello_frames.first
                                          : t.server_hello_frames.first;
}

FrameNumber first_frame(const DatabaseTransaction& d) {
  return d.request_frames.first != 0 ? d.request_frames.first : d.response_frames.first;
}

TimeNs earlier_known(TimeNs a, TimeNs b) { return !known(a) ? b : !known(b) ? a : std::min(a, b); }

TimeNs first_time(const Connection& c) { return c.start_time_ns; }
TimeNs first_time(const DnsTransaction& d) {
  return known(d.first_query_ns) ? d.first_query_ns : d.response_ns;
}
TimeNs first_time(const HttpTransaction& h) {
  return known(h.request_first_ns) ? h.request_first_ns : h.response_first_ns;
}
TimeNs first_time(const TlsHandshake& t) {
  return earlier_known(t.client_hello_ns, t.server_hello_ns);
}

TimeNs first_time(const DatabaseTransaction& d) {
  return known(d.request_first_ns) ? d.request_first_ns : d.response_first_ns;
}

// What decides after frame, time and endpoints: ids and types, and the frames that came later.
// Frames have no numbers on a live link and times are those of bursts, so the last word has the connection's
// key: the order in which the workers' transactions arrive must not show.
auto rest_of_order(const Connection& c) {
  return std::make_tuple(c.last_frame, c.last_time_ns, c.key);
}
auto rest_of_order(const DnsTransaction& d) {
  return std::make_tuple(d.transport, d.id, d.qtype, d.qclass, d.qname, d.response_frame,
                         d.connection);
}
auto rest_of_order(const HttpTransaction& h) {
  // Pipelined requests may share a segment; their responses come in order, a missing one last.
  const FrameNumber response = h.response_frames.first != 0 ? h.response_frames.first : UINT32_MAX;
  return std::make_tuple(h.request_frames.last, h.request_last_ns, response,
                         known(h.response_first_ns) ? h.response_first_ns : INT64_MAX,
                         h.response_frames.last, h.response_last_ns, h.connection);
}
auto rest_of_order(const TlsHandshake& t) {
  return std::make_tuple(t.client_hello_frames.last, t.server_hello_frames.first, t.connection);
}

auto rest_of_order(const DatabaseTransaction& d) {
  return std::make_tuple(d.request_frames.last, d.request_last_ns, d.depth, d.response_frames.first,
                         d.response_frames.last, d.connection);
}

const Endpoint& server_side(const DnsTransaction& d) { return d.resolver; }
template <class T>
const Endpoint& server_side(const T& t) {
  return t.server;
}

template <class T>
bool comes_before(const T& a, const T& b) {
  if (a.client != b.client) return a.client < b.client;
  if (server_side(a) != server_side(b)) return server_side(a) < server_side(b);
  return rest_of_order(a) < rest_of_order(b);
}

// ------------------------------------------------------------------------------------ the views

/// Texts of a block that may come again, and other bytes that do. Which ones it forgets costs room only.
class RecentTexts {
 public:
  /// The place of `text`: it shows that very text, or another one that gives way.
  std::string_view& at(std::string_view text) {
    if (slots_.empty()) slots_.resize(kSlots);
    return slots_[hash(text) % kSlots];
  }
  void clear() { std::fill(slots_.begin(), slots_.end(), std::string_view()); }

 private:
  static constexpr std::size_t kSlots = 4096;

  /// Whoever chooses texts can choose them so that all hash to one place: then each is kept.
  [[nodiscard]] static std::uint64_t hash(std::string_view text) {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
    std::uint64_t hash = mix64(text.size());
    std::uint64_t word = 0;
    if (text.size() < sizeof word) {
      for (const char c : text) word = word << 8 | static_cast<std::uint8_t>(c);
      return fold64(hash ^ word, kOdd);
    }
    const std::size_t last =
        text.size() - sizeof word;  // may show bytes of the word before it again
    for (std::size_t at = 0; at < last; at += sizeof word) {
      std::memcpy(&word, text.data() + at, sizeof word);
      hash = fold64(hash ^ word, kOdd);
    }
    std::memcpy(&word, text.data() + last, sizeof word);
    return fold64(hash ^ word, kOdd);
  }

  std::vector<std::string_view> slots_;  ///< none before the first text
};

/// What the transactions of one kind show, in blocks that are given back in the order they were filled.
class ViewBlocks {
 public:
  /// Copies what the views of one transaction show, and makes them show the copy.
  template <class... View>
  void keep(View&... views) {
    Block& block = with_room((std::size_t{0} + ... + room_for(views)));
    ++block.transactions;
    (keep_in(block, views), ...);
  }

  /// The oldest transaction no longer needs its views.
  void release_oldest() {
    if (--blocks_.front().transactions == 0) blocks_.pop_front();
  }

 private:
  struct Block {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t size;
    std::size_t used;
    std::size_t transactions;
  };

  /// At most, wherever it begins.
  template <class View>
  static std::size_t room_for(const View& view) {
    return bytes_shown(view) + alignof(ItemOf<View>) - 1;
  }

  Block& with_room(std::size_t bytes) {
    if (blocks_.empty() || blocks_.back().size - blocks_.back().used < bytes) {
      const std::size_t size = std::max(bytes, kBlockBytes);
      blocks_.push_back({std::make_unique_for_overwrite<std::uint8_t[]>(size), size, 0, 0});
      texts_.clear();
    }
    return blocks_.back();
  }

  template <class View>
  static void keep_in(Block& block, View& view) {
    const std::size_t bytes = bytes_shown(view);
    if (bytes == 0) {
      view = shown_at(view, nullptr);
      return;
    }
    constexpr std::size_t kAlignment = alignof(ItemOf<View>);
    block.used = (block.used + kAlignment - 1) / kAlignment * kAlignment;
    std::uint8_t* const to = block.bytes.get() + block.used;
    std::memcpy(to, view.data(), bytes);
    view = shown_at(view, to);
    block.used += bytes;
  }
  void keep_in(Block& block, ShortText& text) { keep_once(block, text); }
  /// Most exchanges waited for nothing: their stalls are the same.
  void keep_in(Block& block, ShortSpan<ExchangeStalls>& stalled) { keep_once(block, stalled); }
  /// A name's answers differ in their ID, which the transaction has as well.
  void keep_in(Block& block, ShortSpan<std::uint8_t>& response) {
    constexpr std::size_t kIdBytes = 2;
    keep_once(block, response, kIdBytes);
  }

  /// A text, or whatever else many transactions of a block show alike. What it begins with may be another
  /// one's: so many bytes of it do not matter.
  template <class View>
  void keep_once(Block& block, View& view, std::size_t indifferent = 0) {
    if (bytes_shown(view) <= indifferent) return keep_in<View>(block, view);
    const auto what_matters = [&] {
      return std::string_view(reinterpret_cast<const char*>(view.data()), bytes_shown(view))
          .substr(indifferent);
    };
    std::string_view& before = texts_.at(what_matters());
    if (before == what_matters()) {
      const char* const place = before.data() - indifferent;
      if (reinterpret_cast<std::uintptr_t>(place) % alignof(ItemOf<View>) == 0) {
        view = shown_at(view, place);
        return;
      }
    }
    keep_in<View>(block, view);
    before = what_matters();
  }

  std::deque<Block> blocks_;
  RecentTexts texts_;  ///< of the last block
};

// ------------------------------------------------------------------------------- one kind's store

template <class T>
class Store {
 public:
  /// True when the oldest transaction had to make room.
  bool add(const T& transaction, std::size_t max) {
    const bool full = values_.size() >= max;
    if (full) views_.release_oldest();
    T& kept = full ? (values_[oldest_] = transaction) : values_.push_back(transaction);
    if (full) oldest_ = (oldest_ + 1) % values_.size();
    std::apply([this](auto&... views) { views_.keep(views...); }, kept.views());
    return full;
  }

  void sort();
  [[nodiscard]] const Transactions<T>& values() const { return values_; }
  [[nodiscard]] Transactions<T>& values() { return values_; }

 private:
  struct Key {
    FrameNumber frame;
    std::uint32_t place;
    TimeNs time_ns;
  };

  Transactions<T> values_;
  std::size_t oldest_ = 0;  ///< where the next one goes once values_ is full
  ViewBlocks views_;
};

template <class T>
void Store<T>::sort() {
  std::vector<Key> keys(values_.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    keys[i] = {first_frame(values_[i]), i, first_time(values_[i])};
  }
  const auto age = [this](const Key& k) {
    return k.place < oldest_ ? oldest_ - k.place : oldest_ + values_.size() - k.place;
  };
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    if (a.frame != b.frame) return a.frame < b.frame;
    if (a.time_ns != b.time_ns) return a.time_ns < b.time_ns;
    const T& left = values_[a.place];
    const T& right = values_[b.place];
    if (comes_before(left, right)) return true;
    if (comes_before(right, left)) return false;
    return age(a) > age(b);
  });

  oldest_ = 0;

  // Every cycle of the permutation is walked once: each value moves directly to its place.
  for (std::uint32_t start = 0; start < keys.size(); ++start) {
    if (keys[start].place == start) continue;
    const T first = values_[start];
    std::uint32_t at = start;
    while (keys[at].place != start) {
      const std::uint32_t from = keys[at].place;
      values_[at] = values_[from];
      keys[at].place = at;
      at = from;
    }
    values_[at] = first;
    keys[at].place = at;
  }
}

/// Which connection has a key: a hash table of indexes, at most half full.
class ConnectionNumbers {
 public:
  explicit ConnectionNumbers(const Transactions<Connection>& connections)
      : connections_(connections), slots_(std::bit_ceil(2 * connections.size() + 1), kEmpty) {
    for (std::uint32_t i = 0; i < connections.size(); ++i) {
      if (connections[i].key != 0) slots_[slot_of(connections[i].key)] = i;
    }
  }
  /// As it is named from here on (Dataset::connection_index()): its id, 0 when there is none.
  [[nodiscard]] ConnectionKey of(ConnectionKey key) const {
    if (key == 0) return 0;
    const std::uint32_t index = slots_[slot_of(key)];
    return index == kEmpty ? 0 : Dataset::connection_id(index);
  }

 private:
  static constexpr std::uint32_t kEmpty = UINT32_MAX;

  /// Where the key is, or would be.
  [[nodiscard]] std::size_t slot_of(ConnectionKey key) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = mix64(key) & mask;
    while (slots_[at] != kEmpty && connections_[slots_[at]].key != key) at = (at + 1) & mask;
    return at;
  }

  const Transactions<Connection>& connections_;
  std::vector<std::uint32_t> slots_;
};

struct Span {
  TimeNs first = INT64_MAX;
  TimeNs last = INT64_MIN;
};

/// From the first to the last instant that any of them tells of.
Span span_of(const Transactions<Connection>& connections, const Transactions<DnsTransaction>& dns) {
  Span span;
  const auto saw = [&span](TimeNs t) {
    if (!known(t)) return;
    span.first = std::min(span.first, t);
    span.last = std::max(span.last, t);
  };
  for (const Connection& c : connections) {
    saw(c.start_time_ns);
    saw(c.last_time_ns);
  }
  for (const DnsTransaction& d : dns) {
    saw(d.first_query_ns);
    saw(d.response_ns);
  }
  return span;
}

template <class Kinds>
struct StoresOf;
template <class... T>
struct StoresOf<std::tuple<T...>> {
  using type = std::tuple<Store<T>...>;
};

}  // namespace

struct Dataset::State {
  StoresOf<TransactionKinds>::type stores;
  DatasetLimits limits;
  std::uint64_t dropped = 0;
  DurationNs span_ns = 0;
  TimeNs ended_ns = kUnknownNs;
  bool sealed = false;

  template <class T>
  Transactions<T>& of() {
    return std::get<Store<T>>(stores).values();
  }

  void number_connections();
};

/// From now on every transaction names its connection by number.
void Dataset::State::number_connections() {
  Transactions<Connection>& connections = of<Connection>();
  const ConnectionNumbers numbers(connections);
  const auto rename = [&numbers](auto& transactions) {
    for (std::size_t i = 0; i < transactions.size(); ++i) {
      transactions[i].connection = numbers.of(transactions[i].connection);
    }
  };
  rename(of<DnsTransaction>());
  rename(of<HttpTransaction>());
  rename(of<TlsHandshake>());
  rename(of<DatabaseTransaction>());
  for (std::size_t i = 0; i < connections.size(); ++i)
    connections[i].key = Dataset::connection_id(i);
}

bool server_not_captured(const Connection& c) {
  const auto gave_up = [](const HandshakeSegment& s) { return (s.flags & tcp_flag::rst) != 0; };
  if (c.half.s2c.packets > 0) return false;
  if (!c.client_went_on()) return false;
  const Handshake segments = c.handshake();
  return std::none_of(segments.begin(), segments.end(), gave_up);
}

Dataset::Dataset(DatasetLimits limits) : state_(std::make_unique<State>()) {
  state_->limits = limits;
  state_->limits.max_per_kind = std::max<std::size_t>(limits.max_per_kind, 1);
}
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;
Dataset::~Dataset() = default;

void Dataset::emit(TransactionRef transaction) {
  State& state = *state_;
  if (state.sealed) {
    ++state.dropped;
    return;
  }
  std::visit(
      [&state](const auto* value) {
        using T = std::remove_cvref_t<decltype(*value)>;
        auto& store = std::get<Store<T>>(state.stores);
        if (store.add(*value, state.limits.max_per_kind)) ++state.dropped;
      },
      transaction);
}

void Dataset::seal(const LookupLimits& limits, TimeNs ended_ns) {
  State& state = *state_;
  if (state.sealed) return;
  std::apply([](auto&... store) { (store.sort(), ...); }, state.stores);

  state.number_connections();
  state.sealed = true;
  const Transactions<Connection>& connections = state.of<Connection>();
  Transactions<DnsTransaction>& dns = state.of<DnsTransaction>();
  for (std::size_t i = 0; i < dns.size(); ++i) {
    DnsTransaction& d = dns[i];
    if (d.outcome != DnsOutcome::unanswered || d.connection == 0) continue;
    const std::size_t at = connection_index(d.connection);
    if (at != kNone && server_not_captured(connections[at])) d.outcome = DnsOutcome::not_visible;
  }
  mark_not_visible(dns, connections, limits);
  const Span span = span_of(connections, dns);
  if (span.last > span.first) state.span_ns = span.last - span.first;
  if (known(ended_ns)) state.ended_ns = std::max(ended_ns, span.last);
}

const Transactions<Connection>& Dataset::connections() const { return state_->of<Connection>(); }
const Transactions<DnsTransaction>& Dataset::dns() const { return state_->of<DnsTransaction>(); }
const Transactions<HttpTransaction>& Dataset::http() const { return state_->of<HttpTransaction>(); }
const Transactions<TlsHandshake>& Dataset::tls() const { return state_->of<TlsHandshake>(); }
const Transactions<DatabaseTransaction>& Dataset::database() const {
  return state_->of<DatabaseTransaction>();
}

std::size_t Dataset::connection_index(ConnectionKey number) const { return number - 1; }

DurationNs Dataset::span_ns() const { return state_->span_ns; }

TimeNs Dataset::ended_ns() const { return state_->ended_ns; }

std::uint64_t Dataset::dropped() const { return state_->dropped; }

}  // namespace wirelag
