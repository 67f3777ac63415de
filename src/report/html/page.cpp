// The HTML report: one file that opens from a disk. It has no script, asks for nothing over the
// network, and its policy forbids both, should a byte from the wire ever get past the escaping.
#include <fmt/format.h>

#include "sections.hpp"

namespace wirelag {
namespace report::html {
namespace {

void head(Writer& w, const Report& r) {
  const auto element = w.element("head");
  w.lone("meta", {{"charset", "utf-8"}});
  w.lone("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  w.lone("meta", {{"http-equiv", "Content-Security-Policy"},
                  {"content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}});
  w.lone("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  w.lone("meta", {{"name", "generator"}, {"content", "wirelag " WIRELAG_VERSION}});
  w.lone("link", {{"rel", "icon"}, {"href", "data:,"}});
  w.leaf("title", "wirelag report: " + r.capture.name);
  style(w);
}

void contents(Writer& w, const Report& r) {
  const auto nav = w.element("nav", {{"aria-label", "Parts of this report"}});
  const auto list = w.element("ul");
  const auto link = [&w](Literal id, Literal title) {
    const auto item = w.element("li");
    w.leaf("a", title.view(), {{"href", "#" + std::string(id.view())}});
  };
  link("wait", "Where the wait goes");
  link("visits", "Typical visits");
  link("findings", "What to change");
  link("capacity", "Capacity");
  link("latency", "Latency over time");
  link("load", "Load");
  link("dns", "DNS");
  link("channels", "Channels");
  if (!r.data.database().empty()) link("databases", "Databases");
  link("handshake", "A handshake");
  link("not-judged", "Rules without a finding");
  link("visibility", "What was captured");
}

}  // namespace
}  // namespace report::html

std::string render_html(const Report& r) {
  using namespace report::html;
  Writer w;
  w.markup("<!doctype html>\n");
  {
    const auto html = w.element("html", {{"lang", "en"}});
    head(w, r);
    const auto body = w.element("body");
    answer(w, r);
    {
      const auto main = w.element("main");
      contents(w, r);
      where_it_goes(w, r);
      waterfalls(w, r);
      findings(w, r);
      heat_maps(w, r);
      knees(w, r);
      dns_tables(w, r);
      channel_tables(w, r);
      database_tables(w, r);
      handshake(w, r);
      not_judged(w, r);
      sight_section(w, r);
    }
    const auto footer = w.element("footer");
    w.leaf("p", "Made by wirelag " WIRELAG_VERSION
                " from packets alone. -: not seen or not measurable, never 0. The same numbers: "
                "wirelag replay --format json, --format text.");
  }
  return w.take();
}

}  // namespace wirelag
