// A VST3 effect for tests of the host: a delay that is as late as its parameter says, and reports it, from the next block on.
#include <cmath>
#include <vector>

#include "DistrhoPlugin.hpp"

START_NAMESPACE_DISTRHO

class Late : public Plugin {
    static constexpr uint32_t kMost = 2048;
    float fFrames = 100.0f;
    std::vector<float> fPast[2];
    uint32_t fPosition = 0;

public:
    Late() : Plugin(1, 0, 0) { clear(); }

protected:
    const char* getLabel() const override { return "late"; }
    const char* getMaker() const override { return "Stemplay tests"; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    int64_t getUniqueId() const override { return d_cconst('l', 'a', 't', 'e'); }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }

    void initParameter(uint32_t, Parameter& parameter) override {
        parameter.hints = kParameterIsAutomatable;
        parameter.name = "Frames";
        parameter.symbol = "frames";
        parameter.ranges.min = 0.0f;
        parameter.ranges.max = 2000.0f;
        parameter.ranges.def = 100.0f;
    }

    float getParameterValue(uint32_t) const override { return fFrames; }
    void setParameterValue(uint32_t, float value) override { fFrames = value; }

    void activate() override {
        clear();
        setLatency(delay());
    }

    void run(const float** inputs, float** outputs, uint32_t frames) override {
        setLatency(delay());
        for (uint32_t i = 0; i < frames; ++i, ++fPosition)
            for (int channel = 0; channel < 2; ++channel) {
                const float input = inputs[channel][i];  // hosts may give one buffer for both
                fPast[channel][fPosition % kMost] = input;
                outputs[channel][i] = fPast[channel][(fPosition - delay()) % kMost];
            }
    }

private:
    uint32_t delay() const { return static_cast<uint32_t>(std::lround(fFrames)); }

    void clear() {
        fPosition = kMost;
        for (auto& past : fPast)
            past.assign(kMost, 0.0f);
    }
};

Plugin* createPlugin() { return new Late; }

END_NAMESPACE_DISTRHO
