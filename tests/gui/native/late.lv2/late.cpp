// An LV2 effect for tests of the window: it is as many samples late as its control says, and reports that.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "lv2.h"

namespace {

constexpr uint32_t kMost = 4096;

struct Late {
    const float* input[2];
    float* output[2];
    const float* control;
    float* latency;
    float past[2][kMost];
    uint32_t position;
};

LV2_Handle instantiate(const LV2_Descriptor*, double, const char*, const LV2_Feature* const*) { return std::calloc(1, sizeof(Late)); }

void connect(LV2_Handle self, uint32_t port, void* data) {
    Late& late = *static_cast<Late*>(self);
    if (port < 2)
        late.input[port] = static_cast<const float*>(data);
    else if (port < 4)
        late.output[port - 2] = static_cast<float*>(data);
    else if (port == 4)
        late.control = static_cast<const float*>(data);
    else
        late.latency = static_cast<float*>(data);
}

void run(LV2_Handle self, uint32_t frames) {
    Late& late = *static_cast<Late*>(self);
    const uint32_t by = static_cast<uint32_t>(*late.control);
    for (uint32_t i = 0; i < frames; ++i, late.position = (late.position + 1) % kMost) {
        for (int channel = 0; channel < 2; ++channel) {
            late.past[channel][late.position] = late.input[channel][i];
            late.output[channel][i] = late.past[channel][(late.position + kMost - by) % kMost];
        }
    }
    *late.latency = static_cast<float>(by);
}

void cleanup(LV2_Handle self) { std::free(self); }

const LV2_Descriptor kDescriptor = {"urn:stemplay:late", instantiate, connect, nullptr, run, nullptr, cleanup, nullptr};

}  // namespace

LV2_SYMBOL_EXPORT const LV2_Descriptor* lv2_descriptor(uint32_t index) { return index == 0 ? &kDescriptor : nullptr; }
