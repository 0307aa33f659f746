// The window of the test effect (probe.cpp), drawn with Xlib only: the upper part is a slider for the gain, the lower right corner crashes the plugin.
#include <X11/Xlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "DistrhoUI.hpp"
#include "probe.cpp"

START_NAMESPACE_DISTRHO

class Panel : public UI {
    enum { kWidth = DISTRHO_UI_DEFAULT_WIDTH, kHeight = DISTRHO_UI_DEFAULT_HEIGHT, kSlider = 60, kButton = 80 };
    ::Display* fDisplay = nullptr;
    ::Window fWindow = 0;
    GC fGraphics = nullptr;
    float fGain = 1.0f;
    bool fDragged = false;

public:
    Panel() : UI(kWidth, kHeight) {
        fDisplay = XOpenDisplay(nullptr);
        if (fDisplay == nullptr)
            return;
        fWindow = XCreateSimpleWindow(fDisplay, getParentWindowHandle(), 0, 0, kWidth, kHeight, 0, 0, 0x202830);
        XStoreName(fDisplay, fWindow, "panel of the probe");
        XSelectInput(fDisplay, fWindow, ExposureMask | ButtonPressMask | ButtonReleaseMask | ButtonMotionMask);
        fGraphics = XCreateGC(fDisplay, fWindow, 0, nullptr);
        XMapWindow(fDisplay, fWindow);
        XFlush(fDisplay);
    }

    ~Panel() override {
        if (fDisplay == nullptr)
            return;
        XFreeGC(fDisplay, fGraphics);
        XDestroyWindow(fDisplay, fWindow);
        XCloseDisplay(fDisplay);
    }

protected:
    void parameterChanged(uint32_t index, float value) override {
        if (index == 0) {
            fGain = value;
            draw();
        }
    }

    void uiIdle() override {
        while (fDisplay != nullptr && XPending(fDisplay) > 0) {
            XEvent event;
            XNextEvent(fDisplay, &event);
            if (event.type == Expose && event.xexpose.count == 0)
                draw();
            else if (event.type == ButtonPress)
                press(event.xbutton.x, event.xbutton.y);
            else if (event.type == MotionNotify && fDragged)
                drag(event.xmotion.x);
            else if (event.type == ButtonRelease && fDragged)
                release();
        }
    }

private:
    void press(int x, int y) {
        if (y < kSlider) {
            fDragged = true;
            editParameter(0, true);
            drag(x);
        } else if (x > kWidth - kButton) {
            std::abort();
        }
    }

    void drag(int x) {
        fGain = 2.0f * static_cast<float>(std::max(0, std::min<int>(x, kWidth))) / kWidth;
        setParameterValue(0, fGain);
        draw();
    }

    void release() {
        fDragged = false;
        editParameter(0, false);
    }

    void draw() {
        if (fDisplay == nullptr)
            return;
        const int end = static_cast<int>(0.5f * fGain * kWidth);
        fill(0x3a7ca5, 0, 0, end, kSlider);
        fill(0x202830, end, 0, kWidth - end, kHeight);
        fill(0x202830, 0, kSlider, kWidth, kHeight - kSlider);
        fill(0xa53a3a, kWidth - kButton, kSlider, kButton, kHeight - kSlider);
        char text[32];
        std::snprintf(text, sizeof(text), "Gain %.2f", fGain);
        write(text, 12, 34);
        write("Crash", kWidth - kButton + 24, kSlider + 34);
        XFlush(fDisplay);
    }

    void fill(unsigned long colour, int x, int y, int width, int height) {
        XSetForeground(fDisplay, fGraphics, colour);
        XFillRectangle(fDisplay, fWindow, fGraphics, x, y, width, height);
    }

    void write(const char* text, int x, int y) {
        XSetForeground(fDisplay, fGraphics, 0xffffff);
        XDrawString(fDisplay, fWindow, fGraphics, x, y, text, static_cast<int>(std::strlen(text)));
    }
};

UI* createUI() { return new Panel; }

END_NAMESPACE_DISTRHO
