// The origin capture as its transactions: frames, times and endpoints as in the recording
// (docs: one visit to a mirror site, five connections, a stub that races three resolvers).
#pragma once

#include "../control/story.hpp"

namespace wirelag::test {

inline Story origin_story() {
  Story s;
  const auto frames = [](DnsTransaction& d, FrameNumber query, FrameNumber response) {
    d.query_frames = {};
    test::push(d.query_frames, query);
    d.response_frame = response;
  };
  const std::string name = "mirror.azure.cn";
  const std::vector<std::string> answer{"139.217.146.62"};
  const auto ok = DnsOutcome::answered;
  frames(s.dns({"127.0.0.1", "127.0.1.1", name}, 0, 3.748760, ok, answer), 1, 7);
  frames(s.dns({"10.11.29.131", "210.22.70.3", name}, 0.193171, 3.673107, ok, answer), 2, 6);
  frames(s.dns({"10.11.29.131", "210.22.84.3", name}, 0.214658, 3.621049, ok, answer), 3, 5);
  frames(s.dns({"10.11.29.131", "114.114.114.114", name}, 0.237609, 26.855458, ok, answer), 4, 25);

  const auto open = [&s](std::uint16_t port, double syn_ms, double connect_ms, FrameNumber syn,
                         FrameNumber syn_ack, FrameNumber ack) -> Connection& {
    Connection& c = s.connection("10.11.29.131", port, "139.217.146.62", 80, syn_ms, connect_ms);
    c.first_frame = syn;
    c.ack_frame = c.last_frame = ack;
    c.syn_frames = {};
    test::push(c.syn_frames, syn);
    c.syn_ack_frames = {};
    test::push(c.syn_ack_frames, syn_ack);
    return c;
  };
  Connection& c1 = open(60686, 4.007447, 6.061628, 8, 9, 10);
  Connection& c2 = open(60690, 34.843260, 7.493952, 27, 37, 38);
  Connection& c3 = open(60692, 94.614156, 7.085419, 97, 112, 113);
  Connection& c4 = open(60694, 95.078214, 6.601899, 98, 110, 111);
  Connection& c5 = open(60696, 95.621726, 6.556854, 99, 115, 116);
  c3.protocol = c5.protocol = Protocol::unknown;  // carried nothing

  const auto get = [&s](Connection& c, const char* target, double from_ms, double to_ms,
                        FrameNumber request, FrameSpan response) {
    HttpTransaction& h = s.http(c, target, from_ms, to_ms);
    h.host = "mirror.azure.cn";
    if (to_ms != Story::kNever) {
      h.content_type = h.target == "/"                     ? "text/html"
                       : h.target.text().ends_with(".css") ? "text/css"
                                                           : "image/png";
    }
    h.request_frames = {request, request};
    h.response_frames = response;
    c.last_frame = std::max({c.last_frame, request, response.last});
  };
  get(c1, "/", 10.42, 17.85, 11, {13, 22});
  get(c1, "/css/style.css", 34.61, 41.022212, 26, {28, 34});
  get(c1, "/icons/kaiyuanshe.png", 41.734621, 60.08, 36, {39, 94});
  get(c2, "/icons/logo.png", 90.0, 97.456985, 95, {104, 106});
  get(c1, "/icons/search.png", 90.31, 96.640097, 96, {100, 101});
  get(c1, "/icons/mirror-setting-tips.png", 98.709355, Story::kNever, 108, {});
  get(c2, "/icons/quick-link.png", 98.859672, Story::kNever, 109, {});
  get(c4, "/icons/contact.png", 101.883557, Story::kNever, 114, {});
  return s;
}

}  // namespace wirelag::test
