// From transactions to what a user waited for: DNS transactions of one name become a lookup,
// connections become channels with their tasks and the reason why they were opened.
//
// Pure functions over a sealed Dataset; control thread.
#pragma once

#include <string_view>
#include <vector>

#include <wirelag/base/list_room.hpp>
#include <wirelag/control/dataset.hpp>
#include <wirelag/control/small_index.hpp>

namespace wirelag {

/// The part a DNS transaction plays in its lookup. A stub is a resolver at a loopback address, or
/// one whose own address asks for the same name while the question it was asked is open.
enum class LookupRole : std::uint8_t {
  asked,      ///< the client's own question, to the resolver it waited for
  forwarded,  ///< sent upstream by a stub resolver on the client's host
};

/// How the answer to one transaction of a lookup mattered.
enum class AnswerRole : std::uint8_t {
  released,  ///< this answer let the user go on
  won,       ///< first upstream answer of the kind the stub passed on: the stub answered from it
  spare,     ///< came after the one that mattered
  unanswered,
  not_visible,  ///< DnsOutcome::not_visible
  contributed,  ///< came before it and led to it (A beside AAAA, TC before TCP, NXDOMAIN before a
                ///< retry)
};
[[nodiscard]] std::string_view name(LookupRole r);
[[nodiscard]] std::string_view name(AnswerRole r);

struct LookupMember {
  SmallIndex transaction;  ///< into Dataset::dns()
  LookupRole role = LookupRole::asked;
  AnswerRole answer = AnswerRole::unanswered;
};

/// What the user waited for: all transactions of one client for one name (docs/metrics.md).
/// What belongs together is decided by LookupLimits.
struct Lookup {
  /// As many A records as an answer of 4096 octets holds, which is what resolvers take over UDP at most.
  static constexpr std::size_t kMaxAddresses = 255;

  IpAddress client_ip;
  ShortText qname;  ///< in the dataset; of a search list: the last and shortest name
  ShortSpan<std::uint16_t> qtypes;
  LongSpan<LookupMember> members;  ///< in order of first frame
  /// A and AAAA records of the answers, each once, at most kMaxAddresses: those that came first.
  ShortSpan<IpAddress> addresses;
  std::uint32_t addresses_left_out = 0;  ///< beyond these
  FrameNumber first_frame = 0;
  FrameNumber last_frame = 0;  ///< of the answer that released the client, 0 when none
  TimeNs start_time_ns = kUnknownNs;
  TimeNs end_time_ns = kUnknownNs;  ///< when the answer released the client
  DurationNs wait_ns = kUnknownNs;  ///< end - start; unknown while unanswered
  DnsOutcome outcome = DnsOutcome::unanswered;
  SmallIndex released_by;  ///< into Dataset::dns()
};

/// What the lookups show.
struct LookupLists {
  ListRoom<std::uint16_t> qtypes;
  ListRoom<LookupMember> members;
  ListRoom<IpAddress> addresses;
};

/// Why a connection was opened (reported as `purpose`).
enum class ChannelPurpose : std::uint8_t {
  first_contact,  ///< no connection of this client to this server before
  others_busy,    ///< every open connection had a request in flight: HTTP/1.1 answers in order
  parallel,       ///< opened although another one was idle
  reopened,       ///< an earlier one had been closed
  unused,         ///< opened and not used within the capture
  retry_after_failure,  ///< the attempt before was refused or unanswered
  unknown,              ///< the opening was not seen (midstream), or what the open ones did is not
                        ///< visible (encrypted), or the earlier ones fell silent without an end
};
[[nodiscard]] std::string_view name(ChannelPurpose p);

/// A TCP connection seen as a channel for tasks. Parallel to Dataset::connections().
struct Channel {
  LongSpan<SmallIndex> http;      ///< its tasks: indexes into Dataset::http()
  LongSpan<SmallIndex> dns;       ///< into Dataset::dns()
  LongSpan<SmallIndex> database;  ///< into Dataset::database(), in order of request
  ShortText name;         ///< in the dataset: host, SNI or the name a lookup gave for the address
  SmallIndex connection;  ///< into Dataset::connections()
  SmallIndex tls;         ///< into Dataset::tls()
  /// Into Correlation::lookups: the one that gave the server's address at most
  /// LookupLimits::answer_used_within_ns before.
  SmallIndex lookup;
  std::uint32_t others_open = 0;  ///< of the same client address and server, open at its SYN
  std::uint32_t others_busy = 0;  ///< of these, with a request unanswered or a handshake going on
  ChannelPurpose purpose = ChannelPurpose::unknown;
};

/// Tasks of one kind, those of a channel beside each other.
using ChannelTasks = std::vector<SmallIndex>;

/// What it shows lies in it, or in the dataset.
struct Correlation {
  std::vector<Lookup> lookups;
  LookupLists lookup_lists;  ///< what the lookups show
  std::vector<Channel> channels;
  ChannelTasks http, dns, database;  ///< what the channels show

  Correlation() = default;
  Correlation(Correlation&&) = default;
  Correlation& operator=(Correlation&&) = default;
};

/// `data` is sealed.
[[nodiscard]] Correlation correlate(const Dataset& data, const LookupLimits& limits = {});

}  // namespace wirelag
