// A VST3 instrument for tests of the host: one sine at a time, from the frame of its note on to the frame of its note off.
#include <cmath>

#include "DistrhoPlugin.hpp"

START_NAMESPACE_DISTRHO

class Beep : public Plugin {
    int fNote = -1;
    double fPhase = 0.0;

public:
    Beep() : Plugin(0, 0, 0) {}

protected:
    const char* getLabel() const override { return "beep"; }
    const char* getMaker() const override { return "Stemplay tests"; }
    const char* getLicense() const override { return "GPL-3.0-or-later"; }
    int64_t getUniqueId() const override { return d_cconst('b', 'e', 'e', 'p'); }
    uint32_t getVersion() const override { return d_version(1, 0, 0); }

    void run(const float**, float** outputs, uint32_t frames, const MidiEvent* events, uint32_t count) override {
        uint32_t next = 0;
        for (uint32_t i = 0; i < frames; ++i) {
            for (; next < count && events[next].frame <= i; ++next)
                handle(events[next]);
            const float sample = fNote < 0 ? 0.0f : 0.5f * static_cast<float>(std::cos(fPhase));
            outputs[0][i] = outputs[1][i] = sample;
            if (fNote >= 0)
                fPhase += 2.0 * M_PI * 440.0 * std::pow(2.0, (fNote - 69) / 12.0) / getSampleRate();
        }
    }

private:
    void handle(const MidiEvent& event) {
        const int status = event.data[0] & 0xF0, note = event.data[1];
        if (status == 0x90 && event.data[2] > 0) {
            fNote = note;
            fPhase = 0.0;
        } else if ((status == 0x80 || status == 0x90) && note == fNote) {
            fNote = -1;
        } else if (status == 0xB0 && (note == 120 || note == 123)) {
            fNote = -1;
        }
    }
};

Plugin* createPlugin() { return new Beep; }

END_NAMESPACE_DISTRHO
