// Holds a window on the file and a reader of its records together: when the reader wants more, the
// window moves, but never under frames that are being handed out. The first frame is fetched by
// open(), so that a file whose header cannot be read is refused before anything was promised.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <wirelag/ingest/capture_file.hpp>
#include <wirelag/ingest/record_reader.hpp>

#include "file_window.hpp"
#include "unpacked_source.hpp"

namespace wirelag {
namespace {

using ingest::FileWindow;
using Step = RecordReader::Step;

constexpr std::size_t kMagicBytes = 8;

using Source = std::unique_ptr<ingest::ByteSource>;

/// The file, open and known to be a regular file with something in it.
Result<Source> open_file(const std::string& path, CaptureInfo& info) {
  if (path == "-") {
    return Error{"a capture is not read from stdin: write it to a file first"};
  }
  // Not blocking: opening a pipe must not wait for its writer. It means nothing for a file.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return Error{fmt::format("capture file '{}' does not exist", path)};
    return Error{fmt::format("capture file '{}' cannot be read: {}", path, std::strerror(errno))};
  }
  Source file = std::make_unique<ingest::FileSource>(fd);
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    return Error{fmt::format("capture file '{}' cannot be read: {}", path, std::strerror(errno))};
  }
  if (S_ISDIR(status.st_mode)) {
    return Error{fmt::format("'{}' is a directory: name a capture file in it", path)};
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{
        fmt::format("'{}' is not a regular file: write the capture to a file first", path)};
  }
  if (status.st_size == 0) return Error{fmt::format("capture file '{}' is empty (0 bytes)", path)};
  info.file_bytes = static_cast<std::uint64_t>(status.st_size);
  return file;
}

}  // namespace

struct CaptureFile::State {
  CaptureInfo info;
  FileWindow window;
  const ingest::UnpackedSource* unpacked = nullptr;  ///< of the window, when the file is compressed
  std::unique_ptr<RecordReader> records;
  std::optional<Frame> first;  ///< fetched by open() and not yet handed out
  std::size_t link = 0;        ///< of the last frame, in info.links
  FrameNumber frames = 0;
  bool ended = false;
  std::string cut_short;

  bool fetch(Frame& out, bool may_move);
  void note_end(Step step, std::size_t there);
  LinkSeen& seen_link();
  Result<CaptureFormat> recognise();
  /// Where the capture ends; of a compressed one, once it has been read to there.
  [[nodiscard]] std::uint64_t end() const {
    return unpacked != nullptr ? unpacked->unpacked_bytes() : info.file_bytes;
  }
};

/// The next frame; false at the end, or when the window would have to move and may not.
bool CaptureFile::State::fetch(Frame& out, bool may_move) {
  while (!ended) {
    const Bytes here = window.from(records->position());
    switch (const Step step = records->next(here, out)) {
      case Step::frame: {
        LinkSeen& seen = seen_link();
        ++seen.frames;
        out.link = seen.link;
        frames = out.number;
        return true;
      }
      case Step::skipped: break;
      case Step::more:
        if (!may_move) return false;
        if (window.move_to(records->position(), records->needed())) break;
        note_end(step, window.from(records->position()).size());
        break;
      case Step::end:
      case Step::damaged: note_end(step, 0); break;
    }
  }
  return false;
}

/// Why there is no further frame; `there`: bytes of what would have been the next record.
void CaptureFile::State::note_end(Step step, std::size_t there) {
  ended = true;
  if (step == Step::end) return;
  if (step == Step::damaged) {
    cut_short = fmt::format("the file is damaged after frame {}: what follows {}", frames,
                            records->trouble());
  } else if (!window.error().empty()) {
    cut_short =
        fmt::format("the file cannot be read on after frame {}: {}", frames, window.error());
  } else if (there > 0 || !records->ends_cleanly() || records->position() > end()) {
    cut_short = info.format == "pcapng"  // the next block need not be a frame
                    ? fmt::format("the file ends inside the block after frame {}", frames)
                    : fmt::format("the file ends inside frame {}", frames + 1);
  }
}

LinkSeen& CaptureFile::State::seen_link() {
  const std::uint32_t number = records->link_number();
  std::vector<LinkSeen>& links = info.links;
  if (link < links.size() && links[link].number == number) return links[link];
  const auto known = std::find_if(links.begin(), links.end(),
                                  [number](const LinkSeen& l) { return l.number == number; });
  link = static_cast<std::size_t>(known - links.begin());
  if (known == links.end()) {
    links.push_back({link_type_of(number), number, link_type_name(number), 0});
  }
  return links[link];
}

Result<CaptureFile> CaptureFile::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->info.path = path;
  state->info.name = path.substr(path.find_last_of('/') + 1);
  Result<Source> file = open_file(path, state->info);
  if (!file) return file.take_error();
  state->window = FileWindow(std::move(*file));
  return begin(std::move(state));
}

Result<CaptureFile> CaptureFile::open_bytes(Bytes content, const std::string& name) {
  auto state = std::make_unique<State>();
  state->info.path = state->info.name = name;
  state->info.file_bytes = content.size();
  state->window = FileWindow(content);
  if (content.empty()) return Error{fmt::format("capture file '{}' is empty (0 bytes)", name)};
  return begin(std::move(state));
}

/// What the first bytes say. Of a compressed file: those that it unpacks to, which the window has from now on.
Result<CaptureFormat> CaptureFile::State::recognise() {
  (void)window.move_to(0, kMagicBytes);
  CaptureFormat format = capture_format(window.from(0));
  if (auto unpacker = ingest::make_unpacker(format.packed_by)) {
    info.packed_by = format.packed_by;
    auto source =
        std::make_unique<ingest::UnpackedSource>(window.take_source(), std::move(unpacker));
    unpacked = source.get();
    window = FileWindow(std::move(source));
    (void)window.move_to(0, kMagicBytes);
    format = capture_format(window.from(0));
  }
  if (!format.packed_by.empty() || !format.name.empty()) return format;
  if (!window.error().empty()) {
    return Error{fmt::format("capture file '{}' cannot be read: {}", info.path, window.error())};
  }
  constexpr std::string_view kNeither = "it starts neither like pcap, pcapng, snoop nor NetMon 2";
  if (unpacked == nullptr) {
    return Error{fmt::format("'{}' is not a capture file: {}", info.path, kNeither)};
  }
  if (window.from(0).empty()) {
    return Error{fmt::format("'{}' is compressed with {}, and nothing is in it (0 bytes)",
                             info.path, info.packed_by)};
  }
  return Error{fmt::format("'{}' is compressed with {}, and what is in it is not a capture: {}",
                           info.path, info.packed_by, kNeither)};
}

Result<CaptureFile> CaptureFile::begin(std::unique_ptr<State> state) {
  State& s = *state;
  const std::string& path = s.info.path;
  const Result<CaptureFormat> recognised = s.recognise();
  if (!recognised) return recognised.take_error();
  const CaptureFormat& format = recognised.value();
  if (!format.packed_by.empty() && s.unpacked != nullptr) {
    return Error{fmt::format("'{}' is compressed twice, with {} inside {}: unpack it first", path,
                             format.packed_by, s.info.packed_by)};
  }
  if (!format.packed_by.empty()) {
    return Error{
        fmt::format("'{}' is compressed with {}: unpack it first (gzip and zstd are read "
                    "as they are)",
                    path, format.packed_by)};
  }
  s.records = make_record_reader(s.window.from(0));
  s.info.format = format.name;

  Frame first;
  if (s.fetch(first, true)) s.first = first;
  if (!s.records->begun()) {
    const std::string& trouble = s.records->trouble();
    if (trouble.empty() && !s.window.error().empty()) {
      return Error{fmt::format("capture file '{}' cannot be read: {}", path, s.window.error())};
    }
    if (s.records->over_limit())
      return Error{fmt::format("'{}' cannot be read: it {}", path, trouble)};
    return Error{fmt::format("'{}' has a damaged {} header: it {}", path, format.name,
                             trouble.empty() ? "ends before its header does" : trouble)};
  }
  // Without a frame to tell, the header does.
  if (!s.first && s.info.format != "pcapng") (void)s.seen_link();
  return CaptureFile(std::move(state));
}

CaptureFile::CaptureFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
CaptureFile::CaptureFile(CaptureFile&&) noexcept = default;
CaptureFile& CaptureFile::operator=(CaptureFile&&) noexcept = default;
CaptureFile::~CaptureFile() = default;

const CaptureInfo& CaptureFile::info() const { return state_->info; }

std::size_t CaptureFile::read(std::span<Frame> out) {
  State& s = *state_;
  std::size_t count = 0;
  if (s.first && !out.empty()) {
    out[count++] = *s.first;
    s.first.reset();
  }
  while (count < out.size() && s.fetch(out[count], count == 0)) ++count;
  s.info.frames_without_time = s.records->frames_without_time();
  return count;
}

const std::string& CaptureFile::cut_short() const { return state_->cut_short; }

std::uint64_t CaptureFile::position_bytes() const {
  const State& s = *state_;
  return s.unpacked != nullptr ? s.unpacked->packed_position()
                               : std::min(s.records->position(), s.info.file_bytes);
}

}  // namespace wirelag
