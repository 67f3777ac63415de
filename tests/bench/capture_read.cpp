// Ways to get at the frames of a capture file, compared on one file in interleaved rounds. Each frame's
// first 64 bytes are read, as decoding would. Run by scripts/bench-capture-read.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <functional>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <pcap/pcap.h>

#include <wirelag/ingest/capture_file.hpp>
#include <wirelag/ingest/record_reader.hpp>

namespace {

using namespace wirelag;

struct Counted {
  std::uint64_t frames = 0;
  std::uint64_t sum = 0;  ///< of the bytes touched: all ways must agree

  void take(Bytes bytes) {
    ++frames;
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 64); i += 8) sum += bytes[i];
  }
};

/// Frames of 60 to 1514 bytes, as a mix of acknowledgments, requests and full segments.
std::uint64_t write_capture(const char* path, std::uint64_t megabytes) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) return 0;
  const std::uint32_t header[] = {0xa1b23c4d, 0x00040002, 0, 0, 262144, 1};
  std::fwrite(header, sizeof header, 1, file);
  std::mt19937 random(1);
  std::vector<std::uint32_t> noise(400);
  for (std::uint32_t& word : noise) word = random();
  std::uint64_t written = sizeof header, frames = 0;
  while (written < megabytes * 1'000'000) {
    const std::uint32_t kind = random() % 10;
    const std::uint32_t size = kind < 4   ? 60 + random() % 20
                               : kind < 7 ? 1514
                                          : 80 + random() % 900;
    const std::uint32_t record[] = {static_cast<std::uint32_t>(frames / 1000),
                                    static_cast<std::uint32_t>(frames % 1000), size, size};
    std::fwrite(record, sizeof record, 1, file);
    std::fwrite(noise.data(), size, 1, file);
    written += sizeof record + size;
    ++frames;
  }
  return std::fclose(file) == 0 ? frames : 0;
}

Counted through_capture_file(const char* path) {
  Counted counted;
  Result<CaptureFile> file = CaptureFile::open(path);
  if (!file) std::exit(1);
  std::vector<Frame> frames(256);
  while (const std::size_t n = file->read(frames)) {
    for (const Frame& f : std::span(frames).first(n)) counted.take(f.bytes);
  }
  return counted;
}

/// The same reader over a window of `capacity` bytes.
Counted through_window(const char* path, std::size_t capacity) {
  Counted counted;
  const int fd = open(path, O_RDONLY);
  const std::unique_ptr<std::uint8_t[]> buffer(new std::uint8_t[capacity]);
  std::size_t size = 0, at = 0;
  std::unique_ptr<RecordReader> records;
  Frame frame;
  for (;;) {
    const std::size_t kept = size - at;
    std::copy(buffer.get() + at, buffer.get() + size, buffer.get());
    const ssize_t n = read(fd, buffer.get() + kept, capacity - kept);
    if (n <= 0) break;
    size = kept + static_cast<std::size_t>(n);
    at = 0;
    if (records == nullptr) records = make_record_reader({buffer.get(), size});
    for (;;) {
      const std::uint64_t before = records->position();
      const RecordReader::Step step = records->next({buffer.get() + at, size - at}, frame);
      if (step != RecordReader::Step::frame && step != RecordReader::Step::skipped) break;
      at += records->position() - before;
      if (step == RecordReader::Step::frame) counted.take(frame.bytes);
    }
  }
  close(fd);
  return counted;
}

Counted through_mapping(const char* path, int flags) {
  Counted counted;
  const int fd = open(path, O_RDONLY);
  struct stat status {};
  fstat(fd, &status);
  const auto size = static_cast<std::size_t>(status.st_size);
  void* map = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | flags, fd, 0);
  if (map == MAP_FAILED) std::exit(1);
  madvise(map, size, MADV_SEQUENTIAL);
  {
    Result<CaptureFile> file =
        CaptureFile::open_bytes({static_cast<const std::uint8_t*>(map), size}, path);
    if (!file) std::exit(1);
    std::vector<Frame> frames(256);
    while (const std::size_t n = file->read(frames)) {
      for (const Frame& f : std::span(frames).first(n)) counted.take(f.bytes);
    }
  }
  munmap(map, size);
  close(fd);
  return counted;
}

Counted through_libpcap(const char* path) {
  Counted counted;
  char error[PCAP_ERRBUF_SIZE];
  pcap_t* pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
  if (pcap == nullptr) std::exit(1);
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  while (pcap_next_ex(pcap, &header, &bytes) == 1) counted.take({bytes, header->caplen});
  pcap_close(pcap);
  return counted;
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const char* path = argv[1];
  const std::uint64_t frames = write_capture(path, std::strtoull(argv[2], nullptr, 10));
  if (frames == 0) return 1;

  const std::vector<std::pair<const char*, std::function<Counted()>>> ways = {
      {"CaptureFile (read, 1 MiB)", [&] { return through_capture_file(path); }},
      {"read, 64 KiB", [&] { return through_window(path, 64 << 10); }},
      {"read, 256 KiB", [&] { return through_window(path, 256 << 10); }},
      {"read, 1 MiB", [&] { return through_window(path, 1 << 20); }},
      {"read, 4 MiB", [&] { return through_window(path, 4 << 20); }},
      {"mmap", [&] { return through_mapping(path, 0); }},
      {"mmap, populated", [&] { return through_mapping(path, MAP_POPULATE); }},
      {"libpcap", [&] { return through_libpcap(path); }},
  };
  const Counted expected = ways.front().second();  // and the page cache is warm
  std::vector<std::vector<double>> ns(ways.size());
  for (int round = std::atoi(argv[3]); round > 0; --round) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const double before = cpu_seconds();
      const Counted counted = ways[i].second();
      ns[i].push_back((cpu_seconds() - before) * 1e9 / static_cast<double>(frames));
      if (counted.frames != frames || counted.sum != expected.sum) {
        std::printf("%s read something else\n", ways[i].first);
        return 1;
      }
    }
  }
  std::printf("%lu frames; ns of CPU time a frame\n%-28s %8s %8s %8s\n",
              static_cast<unsigned long>(frames), "", "min", "median", "max");
  for (std::size_t i = 0; i < ways.size(); ++i) {
    std::sort(ns[i].begin(), ns[i].end());
    std::printf("%-28s %8.1f %8.1f %8.1f\n", ways[i].first, ns[i].front(), ns[i][ns[i].size() / 2],
                ns[i].back());
  }
  return 0;
}
