// Windows are made by answers that end in them; then every answer adds the time it was open to those
// it reaches into. Whatever the clock says, no more windows than answers.
#include <algorithm>
#include <map>

#include <wirelag/advise/load.hpp>

namespace wirelag {
namespace {

struct Window {
  double busy_ns = 0;      ///< requests in flight x time
  double response_ns = 0;  ///< sum over the answers
  std::vector<std::size_t> requests;
};
using Windows = std::map<std::int64_t, Window>;

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
    load.n_star = load.r0_ns / kSecondNs * load.x_max;
    for (LoadWindow& w : load.windows) {
      w.beyond = w.in_flight > load.n_star && w.response_ns >= limits_.response_factor * load.r0_ns;
    }
    return load;
  }

 private:
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
