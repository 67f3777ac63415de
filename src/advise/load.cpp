// Windows are made by answers that end in them; then every answer adds the time it was open to those
// it reaches into. Whatever the clock says, no more windows than answers.
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <queue>

#include <wirelag/advise/load.hpp>

#include "url_template.hpp"

namespace wirelag {
namespace {

struct Window {
  double busy_ns = 0;      ///< requests in flight x time
  double response_ns = 0;  ///< sum over the answers
  std::vector<std::size_t> requests;
};
using Windows = std::map<std::int64_t, Window>;

/// Every server has room for one.
constexpr double kOneRequest = 1;

/// How long requests took; as if none had to do with another.
class Times {
 public:
  void add(double x) {
    ++n_;
    sum_ += x;
    squares_ += x * x;
  }
  void add(const Times& others) {
    n_ += others.n_;
    sum_ += others.sum_;
    squares_ += others.squares_;
  }
  [[nodiscard]] std::size_t size() const { return n_; }
  [[nodiscard]] double mean() const { return sum_ / static_cast<double>(n_); }
  /// Of the mean: the square of its standard error.
  [[nodiscard]] double error_squared() const {
    const double n = static_cast<double>(n_);
    return std::max(0.0, squares_ / n - mean() * mean()) / n;
  }

 private:
  std::size_t n_ = 0;
  double sum_ = 0;
  double squares_ = 0;
};

/// Requests of one kind, by what was in flight when they came.
struct Kind {
  Times alone;
  Times behind;
  void add(const Kind& other) {
    alone.add(other.alone);
    behind.add(other.behind);
  }
};

/// By how much those behind others took longer than those alone of the same kind.
struct Compared {
  double behind = 0;  ///< requests
  double longer_ns = 0;
  double error_squared = 0;
  /// False where there are too few to say anything.
  bool add(const Kind& kind) {
    constexpr std::size_t kFewest = 5;
    if (std::min(kind.alone.size(), kind.behind.size()) < kFewest) return false;
    const double n = static_cast<double>(kind.behind.size());
    behind += n;
    longer_ns += n * (kind.behind.mean() - kind.alone.mean());
    error_squared += n * n * (kind.alone.error_squared() + kind.behind.error_squared());
    return true;
  }
};

class Collector {
 public:
  Collector(const Dataset& data, const Thresholds& thresholds)
      : data_(data), limits_(thresholds.srv_saturation_knee) {}

  std::map<Endpoint, Windows> collect() const {
    std::map<Endpoint, Windows> servers;
    const Transactions<HttpTransaction>& http = data_.http();
    std::vector<Windows*> of(http.size());  // by request; null where it does not count
    for (std::size_t i = 0; i < http.size(); ++i) {
      if (!counts(http[i])) continue;
      of[i] = &servers[http[i].server];
      Window& last = (*of[i])[window_of(http[i].response_last_ns)];
      last.response_ns += static_cast<double>(http[i].total_ns());
      last.requests.push_back(i);
    }
    for (std::size_t i = 0; i < http.size(); ++i) {
      if (of[i] != nullptr) add_open_time(*of[i], http[i]);
    }
    return servers;
  }

  ServerLoad load_of(const Endpoint& server, Windows& windows) const {
    ServerLoad load;
    load.server = server;
    const double window_ns = static_cast<double>(limits_.window_ns);
    for (auto& [number, w] : windows) {
      if (w.requests.size() < limits_.min_completions) continue;
      const double n = static_cast<double>(w.requests.size());
      LoadWindow out;
      out.start_ns = number * limits_.window_ns;
      out.in_flight = w.busy_ns / window_ns;
      out.per_second = n * kSecondNs / window_ns;
      out.response_ns = w.response_ns / n;
      out.requests = std::move(w.requests);
      if (load.r0_ns == 0 || out.response_ns < load.r0_ns) load.r0_ns = out.response_ns;
      load.x_max = std::max(load.x_max, out.per_second);
      load.windows.push_back(std::move(out));
    }
    load.n_star = std::max(kOneRequest, load.r0_ns / kSecondNs * load.x_max);
    for (LoadWindow& w : load.windows) {
      w.beyond = w.in_flight > load.n_star && w.response_ns >= limits_.response_factor * load.r0_ns;
    }
    if (load.beyond() > 0 && !waits_behind_others(load)) {
      for (LoadWindow& w : load.windows) w.beyond = false;
    }
    return load;
  }

 private:
  /// Whether who asks while as many are in flight as there is room for waits longer for the same than who asks before.
  /// In a window of answers that are slow by themselves there are more in flight as well, and of many windows some have
  /// the slow ones; but what was in flight when a request came does not depend on how long that one takes. Where a
  /// server is slow for a while, whatever it is asked, that looks the same.
  [[nodiscard]] bool waits_behind_others(const ServerLoad& load) const {
    std::map<std::string, Kind> kinds;
    std::priority_queue<TimeNs, std::vector<TimeNs>, std::greater<>> open;  // their ends
    for (const std::size_t i : in_order(load)) {
      const HttpTransaction& h = data_.http()[i];
      while (!open.empty() && open.top() <= h.request_first_ns) open.pop();
      const bool full = static_cast<double>(open.size()) >= load.n_star;
      Kind& kind = kinds[std::string(h.method) + ' ' + url_template(h.target)];
      (full ? kind.behind : kind.alone).add(static_cast<double>(h.total_ns()));
      open.push(h.response_last_ns);
    }
    return behind_is_longer(kinds);
  }

  /// Kinds of few requests are compared as one: each URL may be asked for once.
  [[nodiscard]] bool behind_is_longer(const std::map<std::string, Kind>& kinds) const {
    Compared all;
    Kind rare;
    for (const auto& [name, kind] : kinds) {
      if (!all.add(kind)) rare.add(kind);
    }
    all.add(rare);
    constexpr double kSure = 3;  // standard errors
    return all.behind >= static_cast<double>(limits_.min_completions) &&
           all.longer_ns > kSure * std::sqrt(all.error_squared);
  }

  [[nodiscard]] std::vector<std::size_t> in_order(const ServerLoad& load) const {
    std::vector<std::size_t> requests;
    for (const LoadWindow& w : load.windows) {
      requests.insert(requests.end(), w.requests.begin(), w.requests.end());
    }
    std::sort(requests.begin(), requests.end(), [this](std::size_t a, std::size_t b) {
      return std::pair(data_.http()[a].request_first_ns, a) <
             std::pair(data_.http()[b].request_first_ns, b);
    });
    return requests;
  }

  /// A long poll, or a clock that jumped, says nothing of how busy the server was.
  [[nodiscard]] bool counts(const HttpTransaction& h) const {
    const DurationNs total = h.total_ns();
    return known(total) && h.response_complete &&
           total / limits_.window_ns < limits_.longest_windows;
  }

  [[nodiscard]] std::int64_t window_of(TimeNs t) const { return t / limits_.window_ns; }

  void add_open_time(Windows& windows, const HttpTransaction& h) const {
    const auto end = windows.upper_bound(window_of(h.response_last_ns));
    for (auto w = windows.lower_bound(window_of(h.request_first_ns)); w != end; ++w) {
      const TimeNs begin = w->first * limits_.window_ns;
      const TimeNs from = std::max(begin, h.request_first_ns);
      const TimeNs to = std::min(begin + limits_.window_ns, h.response_last_ns);
      w->second.busy_ns += static_cast<double>(to - from);
    }
  }

  const Dataset& data_;
  const decltype(Thresholds::srv_saturation_knee)& limits_;
};

}  // namespace

std::size_t ServerLoad::beyond() const {
  return static_cast<std::size_t>(
      std::count_if(windows.begin(), windows.end(), [](const LoadWindow& w) { return w.beyond; }));
}

std::vector<ServerLoad> server_loads(const Dataset& data, const Thresholds& thresholds) {
  const Collector collector(data, thresholds);
  std::vector<ServerLoad> loads;
  for (auto& [server, windows] : collector.collect()) {
    ServerLoad load = collector.load_of(server, windows);
    if (!load.windows.empty()) loads.push_back(std::move(load));
  }
  return loads;
}

}  // namespace wirelag
