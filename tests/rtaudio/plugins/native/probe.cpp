// A VST3 effect for tests of the host: a gain that is 64 samples late and says so, and that crashes, sleeps or gives NaN when a parameter asks for it.
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "DistrhoPlugin.hpp"

START_NAMESPACE_DISTRHO

class Probe : public Plugin {
    enum { kGain, kCrash, kSleep, kNan, kMode, kCount };
    static constexpr uint32_t kLatency = 64;
    float fValues[kCount] = {1.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    std::vector<float> fPast[2];
    uint32_t fPosition = 0;

public:
    Probe() : Plugin(kCount, 0, 0) { clear(); }

protected:
    const char* getLabel() const override { return "probe"; }
    const char* getMaker() const override { return "Stemplay tests"; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    int64_t getUniqueId() const override { return d_cconst('p', 'r', 'b', 'e'); }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }

    void initParameter(uint32_t index, Parameter& parameter) override {
        static const char* const names[kCount] = {"Gain", "Crash", "Sleep", "Not a number", "Mode"};
        static const char* const symbols[kCount] = {"gain", "crash", "sleep", "nan", "mode"};
        static const float tops[kCount] = {2.0f, 1.0f, 10000.0f, 1.0f, 2.0f};
        parameter.hints = kParameterIsAutomatable;
        parameter.name = names[index];
        parameter.symbol = symbols[index];
        parameter.ranges.min = 0.0f;
        parameter.ranges.max = tops[index];
        parameter.ranges.def = index == kGain ? 1.0f : 0.0f;
        if (index == kSleep)
            parameter.unit = "ms";
        if (index == kMode) {
            parameter.hints |= kParameterIsInteger;
            parameter.enumValues.count = 3;
            parameter.enumValues.restrictedMode = true;
            parameter.enumValues.values = new ParameterEnumerationValue[3];
            const char* const labels[3] = {"Both", "Left", "Right"};
            for (int i = 0; i < 3; ++i) {
                parameter.enumValues.values[i].value = static_cast<float>(i);
                parameter.enumValues.values[i].label = labels[i];
            }
        }
    }

    float getParameterValue(uint32_t index) const override { return fValues[index]; }
    void setParameterValue(uint32_t index, float value) override { fValues[index] = value; }

    void activate() override {
        clear();
        setLatency(kLatency);
    }

    void run(const float** inputs, float** outputs, uint32_t frames) override {
        if (fValues[kCrash] > 0.5f)
            std::abort();
        if (fValues[kSleep] > 0.5f)
            std::this_thread::sleep_for(std::chrono::milliseconds(static_cast<int>(fValues[kSleep])));
        for (uint32_t i = 0; i < frames; ++i) {
            for (int channel = 0; channel < 2; ++channel) {
                const bool muted = (fValues[kMode] > 0.5f && fValues[kMode] < 1.5f && channel == 1) || (fValues[kMode] > 1.5f && channel == 0);
                const float input = inputs[channel][i];  // hosts may give one buffer for both
                float& past = fPast[channel][fPosition];
                outputs[channel][i] = fValues[kNan] > 0.5f ? std::nanf("") : muted ? 0.0f : past * fValues[kGain];
                past = input;
            }
            fPosition = (fPosition + 1) % kLatency;
        }
    }

private:
    void clear() {
        fPosition = 0;
        for (auto& past : fPast)
            past.assign(kLatency, 0.0f);
    }
};

Plugin* createPlugin() { return new Probe; }

END_NAMESPACE_DISTRHO
