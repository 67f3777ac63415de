// What each connection carried, whom it reached by name, and why it was opened.
//
// Why: the connections of one client address to one server endpoint are swept in time with counters
// for how many are open, how many of these are busy (a handshake going on, or a request
// unanswered), and how many carry something that cannot be read. What the counters say at a SYN is
// the reason:
//
//   conn 1   |open------busy=====-------------------|close
//   conn 2              |SYN   others open 1, busy 1: others_busy
//   conn 3                        |SYN   others open 2, busy 0: parallel
//   conn 4                                               |SYN   others open 0: reopened
//
// Events at one instant are in the order of their frames, so that a capture with coarse times gives
// the same answer.
#include "channel.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <wirelag/control/capture_end.hpp>

#include "lookup.hpp"

namespace wirelag {
namespace {

constexpr TimeNs kBeforeCapture = INT64_MIN + 1;
constexpr TimeNs kAfterCapture = INT64_MAX;

// --------------------------------------------------------------------------------------- tasks

/// The tasks of every channel, counted, then put in their places; each channel shows its own.
template <class T>
ChannelTasks tasks_of(const Transactions<T>& all, const Dataset& data,
                      std::vector<Channel>& channels, LongSpan<SmallIndex> Channel::*shown) {
  std::vector<SmallIndex> channel_of(all.size());
  std::vector<std::size_t> next(channels.size() + 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    channel_of[i] = data.connection_index(all[i].connection);
    if (channel_of[i] != Dataset::kNone) ++next[channel_of[i] + 1];
  }
  std::partial_sum(next.begin(), next.end(), next.begin());
  ChannelTasks tasks(next.back());
  for (std::size_t c = 0; c < channels.size(); ++c) {
    channels[c].*shown = {tasks.data() + next[c], next[c + 1] - next[c]};
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (channel_of[i] != Dataset::kNone) tasks[next[channel_of[i]]++] = i;
  }
  return tasks;
}

void add_tasks(const Dataset& data, Correlation& correlation) {
  std::vector<Channel>& channels = correlation.channels;
  correlation.http = tasks_of(data.http(), data, channels, &Channel::http);
  correlation.dns = tasks_of(data.dns(), data, channels, &Channel::dns);
  correlation.database = tasks_of(data.database(), data, channels, &Channel::database);
  for (std::size_t i = 0; i < data.tls().size(); ++i) {
    const std::size_t c = data.connection_index(data.tls()[i].connection);
    if (c != Dataset::kNone && channels[c].tls == Dataset::kNone) channels[c].tls = i;
  }
}

// --------------------------------------------------------------------------------------- names

/// Which name a client had asked for when it connected to an address.
class NamesOfAddresses {
 public:
  NamesOfAddresses(const Correlation& correlation, const Dataset& data)
      : lookups_(correlation.lookups) {
    answers_.reserve(correlation.lookup_lists.addresses.size());
    for (std::size_t i = 0; i < lookups_.size(); ++i) {
      const Lookup& lookup = lookups_[i];
      if (lookup.addresses.empty() || !known(lookup.end_time_ns)) continue;
      std::vector<IpAddress> hosts = hosts_of(lookup, data.dns());
      if (hosts.empty()) hosts.push_back(kCaptureHost);
      of_capture_host_ |= hosts.front() == kCaptureHost;
      for (const IpAddress& host : hosts) {
        for (const IpAddress& ip : lookup.addresses) {
          answers_.push_back({ip, host, lookup.end_time_ns, i});
        }
      }
    }
    std::sort(answers_.begin(), answers_.end(),
              [this](const Answer& a, const Answer& b) { return comes_before(a, b); });
  }

  struct Answer {
    IpAddress address;
    IpAddress client;
    TimeNs time_ns;
    SmallIndex lookup;
  };

  /// The latest answer with the server's address before the connection began; null when none.
  [[nodiscard]] const Answer* answer_for(const Connection& c) const {
    const Answer* own = latest(c.server.ip, c.client.ip, c.start_time_ns);
    if (!of_capture_host_) return own;
    const Answer* of_host = latest(c.server.ip, kCaptureHost, c.start_time_ns);
    if (own == nullptr || (of_host != nullptr && of_host->time_ns > own->time_ns)) own = of_host;
    return own;
  }

 private:
  /// Stands for whichever addresses the capture host has; no packet has the unspecified address as
  /// its source on a connection.
  static constexpr IpAddress kCaptureHost{};

  [[nodiscard]] bool comes_before(const Answer& a, const Answer& b) const {
    return std::tie(a.address, a.client, a.time_ns, lookups_[a.lookup].qname, a.lookup) <
           std::tie(b.address, b.client, b.time_ns, lookups_[b.lookup].qname, b.lookup);
  }
  [[nodiscard]] const Answer* latest(const IpAddress& address, const IpAddress& client,
                                     TimeNs before) const {
    const auto after = std::partition_point(answers_.begin(), answers_.end(), [&](const Answer& a) {
      return std::tie(a.address, a.client, a.time_ns) <= std::tie(address, client, before);
    });
    if (after == answers_.begin()) return nullptr;
    const Answer& found = *std::prev(after);
    return found.address == address && found.client == client ? &found : nullptr;
  }

  const std::vector<Lookup>& lookups_;
  std::vector<Answer> answers_;
  bool of_capture_host_ = false;  ///< some of them are
};

void add_names(const Dataset& data, Correlation& correlation, DurationNs answer_used_within_ns) {
  const NamesOfAddresses names(correlation, data);
  for (Channel& channel : correlation.channels) {
    for (const std::size_t i : channel.http) {
      if (channel.name.empty()) channel.name = data.http()[i].host;
    }
    if (channel.name.empty() && channel.tls != Dataset::kNone) {
      channel.name = data.tls()[channel.tls].sni;
    }
    const Connection& c = data.connections()[channel.connection];
    const auto* answer = names.answer_for(c);
    if (answer == nullptr) continue;
    if (channel.name.empty()) channel.name = correlation.lookups[answer->lookup].qname;
    if (c.start_time_ns - answer->time_ns <= answer_used_within_ns) channel.lookup = answer->lookup;
  }
}

// ------------------------------------------------------------------------------------- reasons

bool failed(const Connection& c) {
  return c.state == ConnectionState::refused ||
         (c.state == ConnectionState::syn_unanswered && !c.client_went_on());
}

bool carried_nothing(const Connection& c) {
  return c.half.c2s.payload_bytes == 0 && c.half.s2c.payload_bytes == 0;
}

/// Whether it can be told when the connection was busy: its requests are tracked and both
/// directions captured, or there were none.
bool readable(const Connection& c) {
  if (c.one_sided) return failed(c);
  switch (c.protocol) {
    case Protocol::http1:
    case Protocol::dns:
    case Protocol::redis:
    case Protocol::memcached:
    case Protocol::postgres:
    case Protocol::mysql: return true;
    default: return carried_nothing(c);
  }
}

/// An instant with the frame that marks it.
struct Instant {
  TimeNs time_ns = kUnknownNs;
  FrameNumber frame = 0;
  auto operator<=>(const Instant&) const = default;
};
constexpr Instant kNever{kAfterCapture, UINT32_MAX};

struct BusySpan {
  Instant from;
  Instant to;  ///< kNever while unanswered
};

Instant opened_at(const Connection& c) {
  if (c.state == ConnectionState::midstream) return {kBeforeCapture, 0};
  return {c.start_time_ns, c.first_frame};
}

Instant closed_at(const Connection& c) {
  const bool still_open = c.close == CloseKind::open && c.end == ConnectionEnd::capture_end;
  if (still_open && !failed(c)) return kNever;
  // After the first FIN or RST nothing more can be asked; what follows is the farewell.
  if (c.close != CloseKind::open && known(c.close_time_ns)) return {c.close_time_ns, c.close_frame};
  return {known(c.last_time_ns) ? c.last_time_ns : c.start_time_ns, c.last_frame};
}

/// A single SYN without an answer never was an open connection.
bool was_open(const Connection& c) { return opened_at(c) < closed_at(c); }

/// It had come about, and its end was seen, not only its silence.
bool seen_to_end(const Connection& c) {
  const bool tried = c.state == ConnectionState::synack_no_ack ||
                     c.state == ConnectionState::syn_no_synack || failed(c);
  return !tried && (c.close != CloseKind::open || c.end == ConnectionEnd::port_reused);
}

class Reasons {
 public:
  Reasons(std::vector<Channel>& channels, const Dataset& data)
      : channels_(channels), data_(data), connections_(data.connections()) {}

  void find() {
    std::vector<Member> by_pair;
    by_pair.reserve(connections_.size());
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      by_pair.push_back({connections_[i].client.ip, connections_[i].server, i});
    }
    std::sort(by_pair.begin(), by_pair.end());
    for (std::size_t from = 0; from < by_pair.size();) {
      std::size_t to = from + 1;
      while (to < by_pair.size() && by_pair[to].is_of_pair(by_pair[from])) ++to;
      sweep({by_pair.data() + from, to - from});
      from = to;
    }
  }

 private:
  /// A connection of a client and a server; those of a pair are in order.
  struct Member {
    IpAddress client;
    Endpoint server;
    SmallIndex connection;
    auto operator<=>(const Member&) const = default;
    [[nodiscard]] bool is_of_pair(const Member& other) const {
      return client == other.client && server == other.server;
    }
  };

  enum class What : std::uint8_t { idle, closed, opened, busy };

  struct Event {
    Instant at;
    What what;
    SmallIndex connection;
    auto operator<=>(const Event&) const = default;
  };

  /// What is known of the pair while its events pass by.
  struct Pair {
    std::size_t began = 0;
    std::size_t ended = 0;  ///< and were seen to
    std::uint32_t open = 0;
    std::uint32_t busy = 0;
    std::uint32_t unreadable = 0;  ///< open ones
    bool last_attempt_failed = false;
    TimeNs failure_known_ns = kUnknownNs;  ///< when the client could tell that it had
  };

  /// When the connection had work: not overlapping, in order, within its life.
  [[nodiscard]] std::span<const BusySpan> busy_spans(const Channel& channel) {
    const Connection& c = connections_[channel.connection];
    std::vector<BusySpan>& spans = spans_;
    spans.clear();
    if (c.one_sided && !failed(c)) return spans;
    const Instant opened = opened_at(c);
    const Instant closed = closed_at(c);
    const auto add = [&](Instant from, Instant to) {
      if (!known(to.time_ns) || to > closed) to = closed;
      from = std::max(from, opened);
      if (known(from.time_ns) && from < to) spans.push_back({from, to});
    };
    if (c.state != ConnectionState::midstream) {
      add(opened, {c.established_time_ns, c.ack_frame});
    }
    for (const std::size_t i : channel.http) {
      const HttpTransaction& h = data_.http()[i];
      if (!h.request_seen) continue;
      add({h.request_first_ns, h.request_frames.first},
          {h.response_last_ns, h.response_frames.last});
    }
    for (const std::size_t i : channel.dns) {
      const DnsTransaction& d = data_.dns()[i];
      if (d.query_frames.empty()) continue;
      add({d.first_query_ns, d.query_frames.front()}, {d.response_ns, d.response_frame});
    }
    for (const std::size_t i : channel.database) {
      const DatabaseTransaction& d = data_.database()[i];
      if (d.no_reply) continue;
      add({d.request_first_ns, d.request_frames.first},
          {d.response_last_ns, d.response_frames.last});
    }
    std::sort(spans.begin(), spans.end(),
              [](const BusySpan& a, const BusySpan& b) { return a.from < b.from; });
    std::size_t merged = 0;
    for (const BusySpan& span : spans) {
      if (merged > 0 && span.from <= spans[merged - 1].to) {
        spans[merged - 1].to = std::max(spans[merged - 1].to, span.to);
      } else {
        spans[merged++] = span;
      }
    }
    return std::span(spans).first(merged);
  }

  void sweep(std::span<const Member> pair) {
    if (pair.size() == 1) {
      const std::size_t alone = pair.front().connection;
      return explain(channels_[alone], connections_[alone], Pair{});
    }
    std::vector<Event>& events = events_;
    events.clear();
    for (const Member& member : pair) {
      const std::size_t i = member.connection;
      events.push_back({opened_at(connections_[i]), What::opened, i});
      const Instant closed = closed_at(connections_[i]);
      const bool counts = was_open(connections_[i]);
      if (counts && closed != kNever) events.push_back({closed, What::closed, i});
      if (!counts) continue;
      for (const BusySpan& span : busy_spans(channels_[i])) {
        events.push_back({span.from, What::busy, i});
        if (span.to != kNever) events.push_back({span.to, What::idle, i});
      }
    }
    std::sort(events.begin(), events.end());

    Pair now;
    for (const Event& event : events) {
      const Connection& c = connections_[event.connection];
      switch (event.what) {
        case What::opened:
          explain(channels_[event.connection], c, now);
          ++now.began;
          now.last_attempt_failed = failed(c);
          // Before a SYN's first timer has run out nobody knows that it stays unanswered.
          now.failure_known_ns = c.state == ConnectionState::refused
                                     ? c.last_time_ns
                                     : c.start_time_ns + kFirstSynTimeoutNs;
          if (!was_open(c)) {
            now.ended += seen_to_end(c) ? 1 : 0;
            break;
          }
          ++now.open;
          now.unreadable += readable(c) ? 0 : 1;
          break;
        case What::closed:
          --now.open;
          now.ended += seen_to_end(c) ? 1 : 0;
          now.unreadable -= readable(c) ? 0 : 1;
          break;
        case What::busy: ++now.busy; break;
        case What::idle: --now.busy; break;
      }
    }
  }

  static void explain(Channel& channel, const Connection& c, const Pair& now) {
    channel.others_open = now.open;
    channel.others_busy = now.busy;
    channel.purpose = purpose_of(c, now);
  }

  static ChannelPurpose purpose_of(const Connection& c, const Pair& now) {
    if (c.state == ConnectionState::midstream) return ChannelPurpose::unknown;
    if (now.began == 0) return ChannelPurpose::first_contact;
    if (now.last_attempt_failed) {
      return c.start_time_ns >= now.failure_known_ns ? ChannelPurpose::retry_after_failure
                                                     : ChannelPurpose::unknown;
    }
    if (c.state == ConnectionState::complete && carried_nothing(c)) return ChannelPurpose::unused;
    if (now.open == 0) {
      return now.ended > 0 ? ChannelPurpose::reopened : ChannelPurpose::unknown;
    }
    if (now.busy == now.open) return ChannelPurpose::others_busy;
    return now.unreadable > 0 ? ChannelPurpose::unknown : ChannelPurpose::parallel;
  }

  std::vector<Channel>& channels_;
  const Dataset& data_;
  const Transactions<Connection>& connections_;
  std::vector<Event> events_;    ///< of the pair at hand
  std::vector<BusySpan> spans_;  ///< of the connection at hand
};

}  // namespace

void describe_channels(const Dataset& data, Correlation& correlation, const LookupLimits& limits) {
  std::vector<Channel>& channels = correlation.channels;
  channels.resize(data.connections().size());
  for (std::size_t i = 0; i < channels.size(); ++i) channels[i].connection = i;
  add_tasks(data, correlation);
  add_names(data, correlation, limits.answer_used_within_ns);
  Reasons(channels, data).find();
}

}  // namespace wirelag
