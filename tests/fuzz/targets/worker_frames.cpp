// The worker as a whole over any frames (frame_script.hpp: raw_frames), with everything that must
// hold of its results (hostile/pipeline.hpp).
#include "fuzz/frame_script.hpp"
#include "hostile/pipeline.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wirelag::fuzz::Input input(data, size);
  wirelag::hostile::check_everything(wirelag::fuzz::raw_frames(input).all());
  return 0;
}
