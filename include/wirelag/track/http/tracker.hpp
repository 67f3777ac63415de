// HTTP/1.x exchanges of the connections of one worker: requests and final responses, paired in
// order.
//
// Every connection has two HttpStreams (one parser state per direction) and a FIFO of exchanges:
//
//   request's headers complete        -> its exchange goes to the back
//   response's status line            -> the first exchange without a response gets it (1xx: counted)
//   request and response at their end -> emitted, in the order of the FIFO
//
// A response that finds no request makes an exchange without one. A message whose headers never
// become complete conveyed nothing (RFC 9112 section 8): it is counted and forgotten. What is
// unfinished is emitted when the connection closes.
//
// What packets prove (can_answer()): a response is to no request that its first segment does not
// acknowledge; the client had not received its beginning when it sent the request; and it comes later.
// The last two are asked on connections with holes: bytes behind a hole come late, when it is given up, while
// the other direction goes on, so a request that turns up late takes the response that came without one (such
// responses wait for the next request before they are emitted).
//
// Holes. A request that began in a hole stands in the FIFO without its facts, for its response. There may have
// been several: so the request behind it is paired only when the client sent it after it had begun to
// receive the response before, as all do that do not pipeline, and nothing shows that it pipelines: two requests
// that acknowledge the same, bytes sent between what the response before acknowledges and the request (sent_more()),
// or behind it before its response came (had_more()). Behind a hole in the server's bytes that may hide responses,
// the next one is paired when only one request can be meant: one alone is open, or one alone was sent after the
// client had received bytes of the hole, none of the client's missing before it, or a client that has always waited
// (kPatience) has sent it. What is paired so is `resynchronised`, and so are the request and the response that
// cannot be told. The next request that a waiting client sends after a response that could not be paired ends the
// doubt: what was open before it has had its response. When every request has its response, what looks like a
// status line behind a hole lies in a body.
//
// Segments that the snaplen cuts. A message whose start line is there is told with what is there of
// its head; it lasts until the next one in its direction, a request also until its response begins.
//
// Limits (HttpLimits) and what happens there:
//   connections     open() returns kNone                                     http_streams_full
//   open_requests   the newest request is not tracked, nor is its response;
//                   one connection gets at most a quarter of them, and 256   http_requests_full
//   texts           cut, marked text_cut (see kLongestText in tracker.cpp)   http_texts_cut
//   header_buffers  the message is not tracked                               http_header_buffers_full
//   header_bytes    framing goes on, texts beyond are missing                http_headers_too_long
//
// Definitions of the times: docs/metrics.md, "Request and response".
#pragma once

#include <wirelag/classify/classifier.hpp>
#include <wirelag/track/http/parser.hpp>
#include <wirelag/track/http/text_store.hpp>

namespace wirelag {

class HttpTracker final : public StreamTracker, private HttpEvents {
 public:
  /// The three references must outlive the tracker.
  HttpTracker(const HttpLimits& limits, Classifier& classifier, TransactionSink& sink,
              Counters& counters);

  [[nodiscard]] Handle open(const StreamContext& context) override;
  void on_bytes(Handle handle, const StreamChunk& chunk) override;
  void on_gap(Handle handle, Direction direction, std::uint64_t missing) override;
  void on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) override;
  void on_fin(Handle handle, Direction direction, TimeNs time_ns, FrameNumber frame) override;
  void prefetch(Handle handle, Direction direction) const override;
  /// other_protocol after 101 and after a CONNECT that was granted.
  [[nodiscard]] StreamInterest interest(Handle handle) const override;
  [[nodiscard]] ServiceId service(Handle handle) const override;
  void close(Handle handle) override;

  /// What the pools hold at the moment: all 0 when no connection is open.
  struct Usage {
    std::size_t connections = 0;
    std::size_t exchanges = 0;
    std::size_t text_blocks = 0;
    std::size_t header_buffers = 0;
  };
  [[nodiscard]] Usage usage() const;

  /// The texts of an exchange, in the order of HttpTransaction::views().
  enum Text : std::uint8_t { kMethod, kHost, kTarget, kReferer, kContentType, kLocation, kTexts };

 private:
  static constexpr std::uint32_t kNoExchange = UINT32_MAX;
  /// All texts of an exchange together; kLongestText in tracker.cpp adds up to less.
  static constexpr std::size_t kTextBytes = 8 * 1024;

  /// Who has waited for the answer so often before the next request is believed to go on so.
  static constexpr std::uint8_t kPatience = 2;

  /// The latest response of a connection, so far.
  struct Began {
    TimeNs first_ns = kUnknownNs;
    std::uint32_t seq = 0;  ///< valid with `placed`
    std::uint32_t ack = 0;  ///< what its first segment acknowledges; valid with `acks`
    bool placed = false;
    bool acks = false;
    bool any = false;
  };

  struct Exchange {
    HttpTransaction facts;  ///< all but the views
    TransferMeter response_meter;
    TransferMarks request_marks;
    TransferMarks response_marks;
    TextStore::Chain chain;
    struct Span {
      std::uint16_t offset = 0;
      std::uint16_t length = 0;
    };
    std::array<Span, kTexts> texts;
    std::uint32_t next = kNoExchange;
    HttpRequestKind kind = HttpRequestKind::ordinary;
    bool released = false;                ///< what it lacks will not come any more
    bool hidden = false;                  ///< its request began in a hole
    HttpHole behind = HttpHole::in_step;  ///< what lies between the request and the one before
    std::uint64_t request_length = 0;     ///< with its body; 0: not known before its end
    HttpArrival::Place request_place;
    HttpArrival::Place response_place;
    Began before;                   ///< the response before its own, or the hole that hides it
    bool behind_lost_ones = false;  ///< responses may be hidden before its own
  };

  struct Connection {
    StreamContext context;
    std::array<HttpStream, 2> stream;
    std::uint32_t first = kNoExchange;
    std::uint32_t last = kNoExchange;
    std::uint32_t exchanges = 0;
    std::uint32_t request =
        kNoExchange;  ///< whose request is being received, perhaps not queued yet
    std::uint32_t response = kNoExchange;  ///< whose response is being received
    std::uint32_t untracked = 0;           ///< requests after `last` that found no room, unanswered
    ServiceId service = kNoService;
    Began latest;
    std::uint32_t end_seq = 0;    ///< of what the parser has got of the server; valid with `placed`
    std::uint32_t asked_seq = 0;  ///< the same of the client; valid with `asked`
    std::uint32_t lost_seq = 0;   ///< where the bytes begin that may hide responses; likewise
    std::uint32_t request_ack = 0;  ///< what the last request acknowledges; valid with `requested`
    HttpHole behind = HttpHole::in_step;  ///< what lies behind the last request
    std::array<bool, 2> begun{};          ///< there were bytes or holes, by direction
    bool placed : 1 = false;
    bool asked : 1 = false;
    bool requested : 1 = false;
    bool pipelines : 1 = false;  ///< a request was sent when nothing of the answer before had come
    std::uint8_t waits : 2 =
        0;  ///< requests sent after the answer before, ahead of any hole; kPatience at most
    bool holes : 1 = false;            ///< there were some, in either direction
    bool responses_lost : 1 = false;   ///< the latest may hide whole responses
    bool response_hidden : 1 = false;  ///< it hides at least one
    bool response_gap : 1 = false;     ///< whole segments are missing, not only their ends
    bool in_doubt : 1 = false;         ///< the latest response could not be paired
    bool keeps : 1 =
        false;  ///< responses may be in the FIFO that wait for a request that comes late
    bool requests_lost : 1 =
        false;  ///< one, or bytes that could not be read, may have hidden requests
    bool unread : 1 =
        false;  ///< since the last request the client sent bytes that could not be read
    bool tunnel : 1 = false;  ///< another protocol has taken over
  };
  static_assert(sizeof(Connection) <= 176, "what an idle connection costs");

  void on_start(Direction direction, const HttpStart& start) override;
  void on_field(Direction direction, HttpField field, std::string_view value,
                bool continued) override;
  [[nodiscard]] HttpRequestKind answered_request() const override;
  void on_head_end(Direction direction, const HttpHeadEnd& head) override;
  void on_message_bytes(const StreamChunk& chunk, std::uint64_t bytes, std::uint64_t body) override;
  void on_body_unknown(Direction direction) override;
  void on_missing_bytes(Direction direction, std::uint64_t bytes) override;
  void on_message_end(Direction direction, HttpEnd end) override;
  void on_skipped(Direction direction, std::uint64_t bytes) override;
  [[nodiscard]] bool may_respond(const HttpArrival& status_line) override;

  void begin_request(const HttpStart& start);
  void end_request_head(const HttpHeadEnd& head);
  void see_pipelining(const HttpArrival::Place& request);
  [[nodiscard]] bool claim_response(std::uint32_t request);
  void move_request(std::uint32_t from, std::uint32_t to);
  void end_request(HttpEnd end);

  void begin_response(const HttpStart& start);
  /// The open request that a response belongs to; `certain`: or else it, or one that is not known.
  struct Match {
    std::uint32_t exchange = kNoExchange;
    bool certain = true;
    bool overtakes = false;  ///< older ones are open that do not get theirs any more
  };
  [[nodiscard]] bool can_answer(const HttpArrival& response, const Exchange& request) const;
  [[nodiscard]] std::uint32_t open_request(const HttpArrival& response, std::uint32_t from) const;
  [[nodiscard]] Match request_of(const HttpArrival& response) const;
  [[nodiscard]] Match request_behind_hole(const HttpArrival& response) const;
  [[nodiscard]] bool overtakes(const HttpArrival& response) const;
  [[nodiscard]] bool is_in_step(const Exchange& request, const Began& before,
                                const HttpArrival::Place& response) const;
  [[nodiscard]] bool waited(const Exchange& request, const Began& before,
                            const HttpArrival::Place& response) const;
  [[nodiscard]] static std::uint64_t length_of(const Exchange& request);
  [[nodiscard]] static bool sent_more(const Began& response, const HttpArrival::Place& request);
  void settle(Exchange& request);
  void give_up_pairing(const Match& match, const HttpArrival& response);
  [[nodiscard]] std::uint32_t without_request(const HttpArrival& response);
  void keep_few_responses();
  /// Waits for a request that comes late.
  [[nodiscard]] static bool is_kept_response(const Exchange& e) {
    return e.facts.status != 0 && !e.facts.request_seen && !e.released;
  }
  void release_unanswered_before(std::uint32_t exchange);
  void lose_step(Direction direction, HttpHole hole, std::uint64_t rest);
  void advance(const StreamChunk& chunk, std::uint64_t bytes);
  void hide_request();
  void end_response(HttpEnd end);
  void end_of_responses();

  [[nodiscard]] std::uint32_t new_exchange();
  void push_back(std::uint32_t exchange);
  void push_front(std::uint32_t exchange);
  void emit_settled();
  void take_first();
  void emit(Exchange& exchange);
  void release(std::uint32_t exchange);

  [[nodiscard]] Exchange* receiving(Direction direction);
  [[nodiscard]] std::string_view text_of(const Exchange& exchange, Text text) const;
  void append_text(Exchange& exchange, Text text, std::string_view value, bool continued);
  void append_bytes(Exchange& exchange, Text text, std::string_view bytes);
  void mark_cut(Exchange& exchange);

  std::uint32_t exchanges_per_connection_;
  Classifier& classifier_;
  TransactionSink& sink_;
  Counters& counters_;
  HttpParser parser_;
  Pool<Connection> connections_;
  Pool<Exchange> exchanges_;
  TextStore texts_;
  std::array<char, kTextBytes> text_out_{};  ///< the texts of one exchange, copied out
  Connection* at_ = nullptr;                 ///< the connection that is being worked on
};

}  // namespace wirelag
