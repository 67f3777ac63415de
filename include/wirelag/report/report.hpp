// The report: one value. Every renderer draws from it, so text, JSON and what comes later cannot
// disagree. Control thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <wirelag/advise/load.hpp>
#include <wirelag/advise/rule.hpp>
#include <wirelag/base/counters.hpp>
#include <wirelag/control/correlate.hpp>
#include <wirelag/control/dataset.hpp>
#include <wirelag/decode/accounting.hpp>
#include <wirelag/report/mark.hpp>

namespace wirelag {

/// Where the frames came from. In live mode `name` is the list of ports.
struct CaptureBlock {
  std::string name;
  std::string format;  ///< pcap | pcapng | snoop | netmon | live
  std::vector<std::string> link_types;
  std::map<std::string, std::uint64_t> link_types_unsupported;  ///< frames of each
  std::uint64_t frames_without_time = 0;  ///< no duration that needs one is given
  std::uint64_t packets = 0;
  TimeNs first_time_ns = kUnknownNs;
  TimeNs last_time_ns = kUnknownNs;
  std::string cut_short;    ///< why the file ended early, empty when it did not
  std::vector<Mark> marks;  ///< that the operator set (report.marks)
  // Live only; a replay sees everything.
  double client_share = 1.0;     ///< of the clients, whose transactions were kept (sampling)
  std::uint64_t port_drops = 0;  ///< frames that the ports lost before wirelag could read them
  std::uint64_t transactions_dropped = 0;  ///< older than report.max_transactions allows
};

/// How long visits waited and for what: of all of them, or of those to one service.
struct WaitScope {
  std::string name;              ///< as in Visit::service; empty = all
  std::size_t visits = 0;        ///< stored ones whose end was seen; all below is of these
  std::uint64_t seen = 0;        ///< visits that they stand for
  std::uint64_t end_unseen = 0;  ///< visits beside them: how long they waited is not known
  DurationNs wait_ns = 0;        ///< sum over those they stand for
  DurationNs p50_ns = 0;         ///< nearest rank
  DurationNs p95_ns = 0;
  std::array<Breakdown, 2> total{};  ///< by Form; each adds up to wait_ns
  /// Of the visits around the rank, serial form, scaled so that each adds up to the quantile.
  Breakdown at_p50{};
  Breakdown at_p95{};
};

/// A visit worth showing, as an example of its kind.
struct TypicalVisit {
  std::size_t visit = 0;  ///< index into Visits::stored
  std::string what;       ///< "the median page", "the longest request"
  std::vector<WaitAfter> after;
};

/// Of visits whose wait is at least what was seen of it (VisitFlags::incomplete), what was not: set where it is so
/// for any visit.
struct Unended {
  bool requests = false;    ///< no answer was captured
  bool responses = false;   ///< their end was not captured
  bool openings = false;    ///< a connection had not come about when the capture ended
  bool handshakes = false;  ///< of TLS, likewise
};

struct Waits {
  WaitScope all;
  std::vector<WaitScope> services;  ///< longest sum first, at most eight; empty when there is one
  std::size_t services_left_out = 0;
  VisitFlags flags;  ///< set where they are set for any visit
  Unended unended;
  /// Most of `rounds` is between addresses of which no handshake was captured: a server that acknowledges with
  /// its answer has its own time in it.
  bool rounds_unsure = false;
  /// Most of `bandwidth` is of answers that cannot be read: how they came, or waited in the server, is not known.
  bool bandwidth_unsure = false;
  std::vector<TypicalVisit> typical;
};

/// What one server had to carry, from first request to last answer.
struct ServerUse {
  Endpoint server;
  std::size_t clients = 0;  ///< addresses
  std::size_t connections = 0;
  std::size_t open_at_once = 0;  ///< most connections
  std::size_t requests = 0;      ///< answered, of HTTP/1 and databases
  double per_second = 0;         ///< X: requests per second; 0 = too short to tell
  double answer_ns = 0;          ///< R: mean time of an answer
  double in_flight = 0;          ///< N = X R (Little's law)
  double limit_per_second = 0;   ///< most answers per second; 0 = not reached, not known
  /// Of the limit, where it is known (utilisation law: the bottleneck's demand is 1 / limit).
  [[nodiscard]] double utilisation() const {
    return limit_per_second > 0 ? per_second / limit_per_second : 0;
  }
};

/// What was measured around a mark: the visits between the mark before it and this one, and those between
/// this one and the next; without those that went on across a mark or the capture's end.
struct MarkedChange {
  struct Side {
    /// That asked something, or were not let in. Of a sample: what those looked into stand for; so below.
    std::size_t visits = 0;
    /// Of these: no whole answer is in the capture. They are in no quantile: how long they waited is not known.
    std::size_t unanswered = 0;
    std::size_t errors = 0;  ///< of these: answered, with a 5xx or a database's error among it
    DurationNs p50_ns = kUnknownNs;
    DurationNs p95_ns = kUnknownNs;
    /// Between which the median of all such visits lies, 95 % (by rank). Unknown below six.
    DurationNs p50_low_ns = kUnknownNs;
    DurationNs p50_high_ns = kUnknownNs;
  };
  /// What a rule's findings of before the mark (from what was captured before it, nothing else) say of this
  /// service's median.
  struct Prediction {
    enum class Held : std::uint8_t {
      not_asked,  ///< the mark's words do not name the rule, or there is no verdict on the change
      too_few,  ///< so few answered visits, or so different ones, that either median may be anything
      yes,      ///< the median's 95 % interval (by rank) meets the prediction
      faster,   ///< lies below it
      slower,   ///< lies above it
    };
    std::string rule;
    bool named = false;  ///< by a word of the mark: it says what was changed
    /// The median with the findings' changes made, shortest and longest; by what the median before is not known
    /// itself (Side::p50_low_ns) they lie farther apart.
    DurationNs low_ns = 0;
    DurationNs high_ns = 0;
    DurationNs saving_ns = 0;  ///< middle of what the changes take off the median before
    Held held = Held::not_asked;
  };
  struct Service {
    std::string name;  ///< as in Visit::service
    Side before;
    Side after;
    /// Those of the rules that the mark names; of others the three highest-ranked. Without those that would not
    /// change the median.
    std::vector<Prediction> predicted;
    bool more_unanswered = false;  ///< their share rose by more than its standard error
    bool more_errors = false;      ///< likewise
    /// The medians' 95 % intervals (by rank) lie apart. What else changed in that time is not known.
    /// Never where more is unanswered or an error than before.
    bool beyond_chance = false;
  };
  Mark mark;                      ///< marks of one instant are one, their words joined
  std::vector<Service> services;  ///< most visits first, at most eight
  std::vector<std::string>
      predicted_nothing;  ///< rules that the mark names: no service's median would change
};

/// What became of one rule's predictions at the marks that name it.
struct LedgerRow {
  std::string rule;
  std::size_t predictions = 0;  ///< that could be held against what was measured
  std::size_t held = 0;         ///< of these
  double saved_share = 0;       ///< measured saving / middle of the predicted one: their median
};

struct Report {
  CaptureBlock capture;
  Accounting accounting;
  Counters counters;
  Dataset data;  ///< sealed
  Correlation correlation;
  Visits visits;
  Advice advice;
  Waits waits;
  std::vector<ServerLoad> loads;
  std::vector<ServerUse> servers;          ///< most requests in flight first
  std::vector<std::string> service_names;  ///< by ServiceId; [0] is ""
  std::vector<MarkedChange> changes;       ///< one for each of capture.marks, in order of time
  std::vector<LedgerRow> ledger;           ///< by rule; empty when no mark names one
};

/// Correlates, judges and assembles. `data` is sealed here.
[[nodiscard]] Report build_report(CaptureBlock capture, const Accounting& accounting,
                                  const Counters& counters, Dataset data,
                                  const Thresholds& thresholds,
                                  std::vector<std::string> service_names);

struct TextOptions {
  std::size_t explain_connection = 0;  ///< connection id; 0 = the slowest handshake
  std::size_t max_rows = 40;           ///< per table; 0 = all
};

/// For a person in a terminal: at most 100 columns, ASCII, the four answers in order.
[[nodiscard]] std::string render_text(const Report& report, const TextOptions& options);

/// One JSON object, schema wirelag.report/1 (docs/report-json.md), ends with a newline.
[[nodiscard]] std::string render_json(const Report& report);
/// Takes a long text piece by piece.
using TextSink = std::function<void(std::string_view)>;
/// The same, handed on as it is made: it may be many times as large as the report.
void render_json(const Report& report, const TextSink& sink);

/// One HTML file without scripts that needs nothing beside it (docs/report-html.md). Its size is
/// bounded, whatever the report holds.
[[nodiscard]] std::string render_html(const Report& report);

/// HTTP Archive 1.2: a page per visit, an entry per request (docs/report-html.md).
[[nodiscard]] std::string render_har(const Report& report);

}  // namespace wirelag
