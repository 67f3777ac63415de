// What a listener's queue would have been if it had been long enough: who comes first is served first, one
// after another, as fast as the server was seen to be while somebody waited.
//
//   arrived    |a |b |c                 answered   a ..pace.. b ..pace.. c
//
// Private to advise; pure.
#pragma once

#include <vector>

#include <wirelag/base/types.hpp>

namespace wirelag {

class AcceptQueue {
 public:
  /// By how much sooner an answer would have come.
  struct Sooner {
    DurationNs low_ns = 0;   ///< at the slower quartile of the server's pace
    DurationNs high_ns = 0;  ///< at the faster one
  };

  /// A first request: when it would have come to the server's queue, and when its answer began.
  void add(std::size_t connection, TimeNs arrived_ns, TimeNs answered_ns) {
    served_.push_back({connection, arrived_ns, answered_ns, {}});
  }

  /// To be called once, after the last add(). False: nobody was seen to wait for another one's answer.
  bool serve_in_order();

  /// Of the connection's first request.
  [[nodiscard]] Sooner sooner(std::size_t connection) const;

 private:
  struct Served {
    std::size_t connection;
    TimeNs arrived_ns;
    TimeNs answered_ns;
    Sooner sooner;
  };

  [[nodiscard]] std::vector<DurationNs> busy_gaps();
  void serve(DurationNs pace_ns, DurationNs Sooner::*sooner_ns);

  std::vector<Served> served_;
};

}  // namespace wirelag
