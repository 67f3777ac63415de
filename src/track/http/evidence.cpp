// What packets say about which response is to which request, and what holes leave of it. The rules are in
// tracker.hpp.
#include <algorithm>
#include <utility>

#include "pairing.hpp"

namespace wirelag {
namespace {

/// Whether `seq` was received by who sent the segment at `place`; false also when that is not known.
bool had_received(const HttpArrival::Place& place, std::uint32_t seq) {
  return place.acks && seq_distance(seq, place.ack) > 0;
}

/// The widest window (RFC 7323 section 2.3): who has sent more knows that its first byte was received. Sequence
/// numbers alone cannot say that of more than 2 GiB.
constexpr std::uint64_t kWidestWindow = 1ULL << 30;

/// Whether who responds had received the beginning of the request; true also when that is not known.
bool had_beginning(const HttpArrival::Place& response, const HttpArrival::Place& request,
                   std::uint64_t request_bytes) {
  if (!response.acks || !request.acks || request_bytes > kWidestWindow) return true;
  return had_received(response, request.seq);
}

/// Whether who responds had received more than a request of so many bytes; false also when its end is not known.
bool had_more(const HttpArrival::Place& response, const HttpArrival::Place& request,
              std::uint64_t request_bytes) {
  if (!response.acks || !request.acks) return false;
  if (request_bytes == 0 || request_bytes > kWidestWindow) return false;
  const std::uint32_t end = request.seq + static_cast<std::uint32_t>(request_bytes);
  return seq_distance(end, response.ack) > 0;
}

}  // namespace

// -------------------------------------------------------------------------------- which request

/// By what the two segments say, order apart.
bool HttpTracker::can_answer(const HttpArrival& response, const Exchange& request) const {
  if (request.hidden) return true;
  if (!had_beginning(response.place, request.request_place, request.facts.request_bytes)) {
    return false;
  }
  if (!at_->holes) return true;
  if (response.place.acks && had_received(request.request_place, response.place.seq)) return false;
  return !sent_after(request.facts, response.first_ns, response.frames.first);
}

/// The oldest request from `from` on that has no response, if this can be its.
std::uint32_t HttpTracker::open_request(const HttpArrival& response, std::uint32_t from) const {
  for (std::uint32_t i = from; i != kNoExchange; i = exchanges_[i].next) {
    const Exchange& e = exchanges_[i];
    if (!answered(e.facts) && !e.released) return can_answer(response, e) ? i : kNoExchange;
  }
  return kNoExchange;
}

HttpTracker::Match HttpTracker::request_of(const HttpArrival& response) const {
  if (at_->responses_lost) return request_behind_hole(response);
  const std::uint32_t i = open_request(response, at_->first);
  if (i == kNoExchange) return {};
  const bool in_step = is_in_step(exchanges_[i], at_->latest, response.place);
  if (in_step && !(exchanges_[i].hidden && at_->in_doubt)) return {i};
  if (overtakes(response)) return {at_->last, true, true};
  return {i, in_step};
}

/// The latest request, sent when the latest response had begun to come: who waits has no other open, and what stands
/// before it lost its response among those that could not be paired.
bool HttpTracker::overtakes(const HttpArrival& response) const {
  const Exchange& e = exchanges_[at_->last];
  return !at_->pipelines && !e.hidden && !e.released && !answered(e.facts) &&
         e.request_place.acks && at_->latest.placed && waited(e, at_->latest, response.place) &&
         can_answer(response, e);
}

/// Of what was captured, or is known to be missing; 0: not known.
std::uint64_t HttpTracker::length_of(const Exchange& request) {
  if (request.request_length == 0) return 0;
  return std::max(request.request_length, request.facts.request_bytes);
}

/// Whether the client sent anything between what the server had received when it began to respond and this request.
bool HttpTracker::sent_more(const Began& response, const HttpArrival::Place& request) {
  return response.acks && request.acks &&
         seq_distance(response.ack, request.seq) > std::int32_t{kNoMessageBytes};
}

/// The response of the oldest may lie in the hole, and those of the next ones. Who sent a request after it
/// had received bytes of the hole had the responses there before, unless it pipelines. What is hidden between
/// requests may be several, and only one stands for them.
HttpTracker::Match HttpTracker::request_behind_hole(const HttpArrival& response) const {
  if (at_->untracked > 0) return {};
  std::uint32_t first = kNoExchange;
  std::uint32_t last = kNoExchange;
  std::uint32_t open = 0;
  std::uint32_t sent_later = 0;
  bool all_known = !at_->in_doubt;
  for (std::uint32_t i = open_request(response, at_->first); i != kNoExchange;
       i = open_request(response, exchanges_[i].next)) {
    const bool later = at_->placed && had_received(exchanges_[i].request_place, at_->lost_seq);
    const bool answer_is_lost = first == kNoExchange && at_->response_hidden && !later;
    if (first == kNoExchange) first = i;
    last = i;
    if (!answer_is_lost) ++open;
    all_known = all_known && exchanges_[i].behind == HttpHole::in_step;
    if (later) ++sent_later;
  }
  // It may be to one that the server has and that is not here, or not yet.
  if (first == kNoExchange) return {};
  const bool unseen_behind = at_->behind == HttpHole::hides_begin && !exchanges_[at_->last].hidden;
  const Exchange& latest = exchanges_[last];
  const bool patient = !at_->pipelines && at_->waits == kPatience;
  const bool none_hidden = latest.behind == HttpHole::in_step || patient ||
                           (!at_->response_gap && !sent_more(at_->latest, latest.request_place));
  const bool more_asked =
      unseen_behind || (at_->asked && had_received(response.place, at_->asked_seq)) ||
      (!latest.hidden && had_more(response.place, latest.request_place, length_of(latest)));
  const bool alone = open == 1 && all_known;
  const bool sent_alone = sent_later == 1 && none_hidden &&
                          (!at_->pipelines || (open == 1 && latest.behind == HttpHole::in_step));
  const bool one = !more_asked && (alone || sent_alone);
  return {one ? last : first, one};
}

/// Two requests in a row, and nothing of a response was received in between.
void HttpTracker::see_pipelining(const HttpArrival::Place& request) {
  if (!request.acks) return;
  if (at_->requested && request.ack == at_->request_ack) at_->pipelines = true;
  const bool waited = at_->latest.placed && had_received(request, at_->latest.seq);
  if (waited && !at_->holes && at_->waits < kPatience) ++at_->waits;
  at_->requested = true;
  at_->request_ack = request.ack;
}

/// Whether no hidden request can be the one that has the response behind `before`.
bool HttpTracker::is_in_step(const Exchange& request, const Began& before,
                             const HttpArrival::Place& response) const {
  if (request.hidden || (request.behind == HttpHole::in_step && !at_->in_doubt)) return true;
  if (at_->pipelines && request.behind != HttpHole::in_step) return false;
  return waited(request, before, response);
}

/// Whether it looks as if the client had waited for the response `before` and then for this one, with one request in
/// between.
bool HttpTracker::waited(const Exchange& request, const Began& before,
                         const HttpArrival::Place& response) const {
  const HttpArrival::Place& place = request.request_place;
  if (!before.any) return false;
  if (!at_->pipelines && had_more(response, place, length_of(request))) return false;
  if (!place.acks || !before.placed) {
    return known(before.first_ns) && request.facts.request_first_ns > before.first_ns;
  }
  const bool may_have_sent_more = !before.acks && request.behind != HttpHole::in_step;
  return !sent_more(before, place) && !may_have_sent_more && had_received(place, before.seq);
}

/// Has its response. Behind a hole it is the first again.
void HttpTracker::settle(Exchange& e) {
  if (e.hidden) {
    e.released = true;
    return;
  }
  if (at_->in_doubt || e.behind == HttpHole::hides_begin) e.facts.resynchronised = true;
  at_->in_doubt = false;
}

/// The response is that of one of these requests, or of one that was not captured. In step only the oldest.
void HttpTracker::give_up_pairing(const Match& match, const HttpArrival& response) {
  at_->in_doubt = true;
  for (std::uint32_t i = match.exchange; i != kNoExchange;
       i = open_request(response, exchanges_[i].next)) {
    exchanges_[i].released = true;
    exchanges_[i].facts.resynchronised = true;
    if (!at_->responses_lost) return;
  }
}

/// What the bytes that will never come mean for what was and will be sent. `rest` of them are those of the message
/// before.
void HttpTracker::lose_step(Direction direction, HttpHole hole, std::uint64_t rest) {
  if (hole == HttpHole::in_step) return;
  if (direction == Direction::c2s) {
    at_->requests_lost = true;
    at_->behind = std::max(at_->behind, hole);
    if (hole == HttpHole::hides_begin) hide_request();
    return;
  }
  if (!at_->responses_lost) {
    at_->lost_seq = at_->end_seq + static_cast<std::uint32_t>(rest) + kNoMessageBytes;
  }
  at_->responses_lost = true;
  at_->response_hidden = at_->response_hidden || hole == HttpHole::hides_begin;
}

/// Only where all requests are known to be answered can it not.
bool HttpTracker::may_respond(const HttpArrival& status_line) {
  const bool all_known = at_->context.from_start && !at_->requests_lost && at_->untracked == 0 &&
                         at_->stream[index(Direction::c2s)].state != HttpStream::State::lost;
  return !at_->responses_lost || !all_known || open_request(status_line, at_->first) != kNoExchange;
}

// ------------------------------------------------------------------- requests that come late, or never

/// A request from behind a hole whose response is here already. Responses without a request that
/// are older than this one do not get any.
bool HttpTracker::claim_response(std::uint32_t request) {
  if (!at_->keeps) return false;
  Exchange& r = exchanges_[request];
  for (std::uint32_t i = at_->first; i != kNoExchange; i = exchanges_[i].next) {
    Exchange& e = exchanges_[i];
    if (!is_kept_response(e)) continue;
    HttpArrival response;
    response.place = e.response_place;
    response.frames = e.facts.response_frames;
    response.first_ns = e.facts.response_first_ns;
    if (!at_->holes || !can_answer(response, r)) {
      e.released = true;
    } else if (is_in_step(r, e.before, e.response_place) &&
               !(e.behind_lost_ones && had_more(e.response_place, r.request_place, length_of(r)))) {
      settle(r);
      move_request(request, i);
      return true;
    } else {
      r.released = e.released = true;
      r.facts.resynchronised = e.facts.resynchronised = at_->in_doubt = true;
      return false;
    }
  }
  at_->keeps = false;
  return false;
}

/// A request began in a hole. Its response may be here already.
void HttpTracker::hide_request() {
  if (at_->in_doubt) return;  // its response may be the one that could not be paired
  for (std::uint32_t i = at_->first; i != kNoExchange; i = exchanges_[i].next) {
    Exchange& e = exchanges_[i];
    if (!is_kept_response(e)) continue;
    const bool older =
        at_->asked && e.response_place.acks && !had_received(e.response_place, at_->asked_seq);
    if (older || !e.behind_lost_ones) e.released = true;  // else its own may be among these
    if (!older) return emit_settled();
  }
  const std::uint32_t i = new_exchange();
  if (i == kNoExchange) return;
  exchanges_[i].hidden = true;
  push_back(i);
}

}  // namespace wirelag
