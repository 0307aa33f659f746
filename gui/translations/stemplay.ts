<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1">
<context>
    <name>BarRuler</name>
    <message>
        <location filename="../player/bar_ruler.py" line="43" />
        <source>Bars and chords</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/bar_ruler.py" line="44" />
        <source>Click: go to the bar. Drag: loop these bars. Arrows: from bar to bar. L: loop the bar.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>BaseStrip</name>
    <message>
        <location filename="../widgets/strip.py" line="48" />
        <source>{} level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="50" />
        <source>Level of {}: drag, wheel or arrows; Shift for fine steps; double click for 0 dB</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="54" />
        <source>{} meter</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="55" />
        <source>Left: peak. Right: RMS. A click resets the clip indicator.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="56" />
        <source>{} level in dB, to type</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="57" />
        <source>Type a level in dB, or -inf</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Browser</name>
    <message>
        <location filename="../instrument/browser.py" line="26" />
        <location filename="../instrument/browser.py" line="26" />
        <source>Search sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/browser.py" line="28" />
        <source>Family of sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/browser.py" line="30" />
        <source>Sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/browser.py" line="49" />
        <source>All families</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/browser.py" line="86" />
        <source>{0} of {1} sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/browser.py" line="88" />
        <source>No sound has such a name.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Card</name>
    <message>
        <location filename="../settings/card.py" line="22" />
        <source>weights</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="23" />
        <source>hop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="26" />
        <source>For researchers</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="30" />
        <source>Learned from</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="37" />
        <source>Delay</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="37" />
        <source>{:.1f} ms, plus the time for the model</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="40" />
        <source>Sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="42" />
        <source>Stems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="46" />
        <source>Quality</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="46" />
        <source>{} dB; 3 dB more halve the error</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="47" />
        <source>Licence</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/card.py" line="78" />
        <source>Nothing was measured.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ChannelMap</name>
    <message>
        <location filename="../instrument/channels.py" line="35" />
        <source>MIDI channels and their sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/channels.py" line="41" />
        <source>The list of sounds, the pad and the keys apply to the selected line.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>CheckView</name>
    <message>
        <location filename="../listening/start.py" line="114" />
        <source>Before you begin</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="116" />
        <source>What do you listen with? Only answers given with headphones count.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="117" />
        <source>Headphones</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="117" />
        <source>I listen with headphones</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="118" />
        <source>Loudspeakers</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="118" />
        <source>I listen with loudspeakers</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="121" />
        <source>Turn the volume down first. The check is as loud as the loudest sound of the test; choose a volume that is comfortable and leave it.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="127" />
        <source>The live engine is playing, too: stop it above to hear only the test.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="135" />
        <source>Preparing the sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="140" />
        <source>Back</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="142" />
        <source>Begin</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="153" />
        <source>Play the check</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="159" />
        <source>Volume in dB</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="170" />
        <source>{value} dB</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="184" />
        <source>You hear a reference X and two versions A and B of it, as often as you like. Say which of them is closer to X.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="188" />
        <source>You hear parts of songs, such as the drums alone, taken out of the mix by different systems. Rate each sound twice.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="191" />
        <source>You hear short sounds made by different systems. Rate the quality of each.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="197" />
        <source>Preparing the sounds …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="203" />
        <source>Ready: play the check, then begin.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ClickStrip</name>
    <message>
        <location filename="../widgets/click_strip.py" line="46" />
        <location filename="../widgets/click_strip.py" line="46" />
        <location filename="../widgets/click_strip.py" line="23" />
        <source>Click</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="28" />
        <source>{} level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="29" />
        <source>{} level in dB, to type</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="30" />
        <source>Level of the click: drag, wheel or arrows; it is past the mix and in no recording</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="40" />
        <location filename="../widgets/click_strip.py" line="34" />
        <source>Count-in</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="35" />
        <source>Bars of clicks before a song starts</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="37" />
        <source>Off</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="37" />
        <source>1 bar</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="37" />
        <source>{} bars</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="45" />
        <source>A click at the beats of the song, of Link or of the tempo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="61" />
        <source>move a control …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="65" />
        <source>click</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="65" />
        <source>level of the click</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/click_strip.py" line="65" />
        <source>count-in</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ColourBar</name>
    <message>
        <location filename="../views/scales.py" line="27" />
        <source>Colours of levels in dB</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/scales.py" line="27" />
        <source>Colours of tones beside their bin</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/scales.py" line="36" />
        <source>below</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/scales.py" line="36" />
        <source>in tune</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/scales.py" line="36" />
        <source>above</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>CompareButton</name>
    <message>
        <location filename="../widgets/compare.py" line="21" />
        <source>A/B: original mix or separated stems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/compare.py" line="22" />
        <source>Compare the original mix with the sum of the stems (Ctrl+D)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/compare.py" line="28" />
        <source>A  Original</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/compare.py" line="28" />
        <source>B  Stems</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Complaint</name>
    <message>
        <location filename="../app.py" line="107" />
        <source>Something went wrong in the window ({what}); the sound is not touched by it.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ControlTab</name>
    <message>
        <location filename="../settings/control.py" line="25" />
        <source>OSC port</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="26" />
        <source>off</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="28" />
        <source>OSC</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="32" />
        <location filename="../settings/control.py" line="31" />
        <source>MIDI output</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="33" />
        <source>Send MIDI clock, start, stop and position</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="36" />
        <source>Controllers that were learned show their values through this output, too.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="38" />
        <source>Share tempo and beat with other programs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="41" />
        <location filename="../settings/control.py" line="39" />
        <source>Ableton Link</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="42" />
        <source>Share start and stop, too</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="43" />
        <source>Ableton Link: start and stop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="51" />
        <source> BPM</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="56" />
        <location filename="../settings/control.py" line="54" />
        <source>Tempo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="57" />
        <source>Of MIDI clock, Link, and echoes that are in time. It changes at once.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="73" />
        <source>None</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="73" />
        <source>All outputs, also those plugged in later</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="74" />
        <source>A port of Stemplay's own, for other programs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="76" />
        <source>{} (not there now)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="91" />
        <source>Listens at {0}: {1} packets, {2} refused. {3}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="94" />
        <source>A port such as 9000 listens on this computer only, 0.0.0.0:9000 on every network that it is in.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="97" />
        <source>Open: {0}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/control.py" line="98" />
        <source>{0} other programs in the session</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>CurvePicture</name>
    <message>
        <location filename="../instrument/envelope.py" line="183" />
        <source>Picture of the velocity curve</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="205" />
        <source>soft touch</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="206" />
        <source>hard touch</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="207" />
        <source>loud</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>CurvesPage</name>
    <message>
        <location filename="../pages/curves.py" line="43" />
        <source>Training curves</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="59" />
        <source>Open the folder of a training run, or of several. Curves are updated while a run trains.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="65" />
        <source>Plot of the curves</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="69" />
        <source>Runs that are shown</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="85" />
        <source>Open a run…</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="86" />
        <source>Open the folder of a training run</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="90" />
        <source>Curve</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="91" />
        <source>Over</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="91" />
        <source>steps</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="91" />
        <source>minutes</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="92" />
        <source>Logarithmic</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="93" />
        <source>Logarithmic values</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="116" />
        <source>Folder of a training run</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="173" />
        <source>Minutes</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="173" />
        <source>Steps</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/curves.py" line="195" />
        <source>{run}: {name} {value} at step {step}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>DenoiseSwitch</name>
    <message>
        <location filename="../inserts/denoise.py" line="19" />
        <source>Denoise</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/denoise.py" line="20" />
        <source>Denoise the input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/denoise.py" line="22" />
        <source>Keep the voice and remove noise, hum, clicks and music behind it. Adds about 25 ms of latency.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>DoneView</name>
    <message>
        <location filename="../listening/start.py" line="227" />
        <source>Thank you</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="231" />
        <source>Another sheet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="241" />
        <source>All {total} trials of sheet {name} are answered. The answers are in {path}.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Draft</name>
    <message>
        <location filename="../settings/draft.py" line="187" />
        <source>{} The sound has not changed.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>EffectBrowser</name>
    <message>
        <location filename="../inserts/browser.py" line="280" />
        <source>Search, for example reverb</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="281" />
        <source>Add an effect: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="287" />
        <source>It is an instrument: choose it on the page Instrument.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Effects</name>
    <message>
        <location filename="../effect_words.py" line="13" />
        <source>Three-band equaliser</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="14" />
        <source>Equaliser</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="15" />
        <source>Raises or lowers low, middle and high frequencies.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="16" />
        <source>Low</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="17" />
        <source>Low frequency</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="18" />
        <source>Mid</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="19" />
        <source>Mid frequency</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="20" />
        <source>Mid Q</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="21" />
        <source>High</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="22" />
        <source>High frequency</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="23" />
        <source>High-pass filter</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="24" />
        <source>Removes what is below a frequency: rumble, handling noise, wind.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="25" />
        <source>Frequency</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="26" />
        <source>Low-pass filter</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="27" />
        <source>Removes what is above a frequency.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="28" />
        <source>Compressor</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="29" />
        <source>Dynamics</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="30" />
        <source>Makes loud passages quieter, so that a voice stays in front.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="31" />
        <source>Threshold</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="32" />
        <source>Ratio</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="33" />
        <source>Attack</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="34" />
        <source>Release</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="35" />
        <source>Make-up gain</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="36" />
        <source>Noise gate</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="37" />
        <source>Silences what is quieter than a threshold: hum and noise between phrases.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="38" />
        <source>Gain</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="39" />
        <source>Changes the level, and nothing else.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="40" />
        <source>Reverb</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="41" />
        <source>Space</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="42" />
        <source>Puts the sound into a room.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="43" />
        <source>Room size</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="44" />
        <source>Damping</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="45" />
        <source>Width</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="46" />
        <source>Mix</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="47" />
        <source>Delay</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="48" />
        <source>Repeats the sound as an echo.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="49" />
        <source>Time</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="50" />
        <source>In time</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="51" />
        <source>Off</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="52" />
        <source>1/32</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="53" />
        <source>1/16 triplet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="54" />
        <source>1/16</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="55" />
        <source>1/8 triplet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="56" />
        <source>1/16 dotted</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="57" />
        <source>1/8</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="58" />
        <source>1/4 triplet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="59" />
        <source>1/8 dotted</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="60" />
        <source>1/4</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="61" />
        <source>1/4 dotted</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="62" />
        <source>1/2</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="63" />
        <source>1/1</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="64" />
        <source>Feedback</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="65" />
        <source>Chorus</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="66" />
        <source>Modulation</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="67" />
        <source>Doubles the sound with copies that drift in pitch.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="68" />
        <source>Rate</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="69" />
        <source>Depth</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="70" />
        <source>Centre delay</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="71" />
        <source>Pitch shift</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="72" />
        <source>Pitch</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="73" />
        <source>Moves the pitch by semitones and keeps the tempo.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="74" />
        <source>Semitones</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="75" />
        <source>Voice denoiser</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="76" />
        <source>Voice</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="77" />
        <source>Keeps a voice and removes noise, hum, clicks, music and a crowd behind it.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="78" />
        <source>Amount</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="79" />
        <source>Above 8 kHz</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="80" />
        <source>Fine</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="81" />
        <source>Saturation</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="82" />
        <source>Distortion</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="83" />
        <source>Adds warmth, or distortion at high drive.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="84" />
        <source>Drive</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="85" />
        <source>Output gain</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="106" />
        <source>loading</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="107" />
        <source>on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="108" />
        <source>bypassed</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="109" />
        <source>failed</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../effect_words.py" line="110" />
        <source>missing</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>EnvelopePanel</name>
    <message>
        <location filename="../instrument/envelope.py" line="92" />
        <source>Attack</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="93" />
        <source>Release</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="97" />
        <source>Key velocity</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="98" />
        <source>Velocity of the computer's keys. The mouse plays louder the lower it clicks on a key.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="104" />
        <source>Linear</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="104" />
        <source>Soft: easy to play loud</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="104" />
        <source>Hard: needs strength</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="105" />
        <source>Fixed: always 100</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="109" />
        <source>Velocity curve</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="136" />
        <source>A plugin has an envelope of its own.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/envelope.py" line="165" />
        <source>Double click: {0}. Right click: MIDI learn.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ExportDialog</name>
    <message>
        <location filename="../player/export.py" line="63" />
        <source>Export stems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="80" />
        <source>Progress of the export</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="105" />
        <location filename="../player/export.py" line="95" />
        <source>Model</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="97" />
        <source>The best model is first. Higher dB are better; they were measured on songs that no model was trained on.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="100" />
        <source>None: the stems of the file</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="103" />
        <source>{}  ({:.1f} dB)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="111" />
        <source>Stems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="119" />
        <location filename="../player/export.py" line="117" />
        <source>Format</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="129" />
        <location filename="../player/export.py" line="124" />
        <source>Project</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="126" />
        <source>A project with the stems, their levels, markers and loops, to go on in REAPER, Bitwig, Cubase, Studio One and others</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="132" />
        <source>Tempo {}, key {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="133" />
        <source>Otherwise the stems have the song's own tempo and key.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="134" />
        <source>Tempo and key as heard</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="137" />
        <source>As heard</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="147" />
        <location filename="../player/export.py" line="139" />
        <source>Folder</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="141" />
        <source>Choose …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="142" />
        <source>Choose a folder</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="167" />
        <source>Open folder</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="171" />
        <source>Export</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="291" />
        <location filename="../player/export.py" line="175" />
        <source>Close</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="185" />
        <source>Export into</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="214" />
        <source>The model is being loaded …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="240" />
        <source>Cancelled; nothing was written.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="252" />
        <source>{} of {} separated</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="266" />
        <source>{} files in {}, {:.1f} times as fast as it plays.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="271" />
        <source>Some samples were beyond full scale and are clipped; WAV keeps them.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="291" />
        <source>Cancel</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export.py" line="300" />
        <source>A stem file has drums, bass, other and vocals, all four.</source>
        <translation type="unfinished" />
    </message>
    <message numerus="yes">
        <location filename="../player/export.py" line="302" />
        <source>%n file(s) of these names will be replaced.</source>
        <translation type="unfinished">
            <numerusform />
        </translation>
    </message>
</context><context>
    <name>ExportFiles</name>
    <message>
        <location filename="../player/export_files.py" line="15" />
        <source>Stem file for DJ programs (AAC)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export_files.py" line="16" />
        <source>Stem file, lossless (ALAC)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export_files.py" line="22" />
        <source>None</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/export_files.py" line="23" />
        <source>REAPER and DAWproject</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Families</name>
    <message>
        <location filename="../instrument/catalogue.py" line="14" />
        <source>Piano</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="15" />
        <source>Chromatic percussion</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="16" />
        <source>Organ</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="17" />
        <source>Guitar</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="18" />
        <source>Bass</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="19" />
        <source>Strings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="20" />
        <source>Ensemble</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="21" />
        <source>Brass</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="22" />
        <source>Reed</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="23" />
        <source>Pipe</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="24" />
        <source>Synth lead</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="25" />
        <source>Synth pad</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="26" />
        <source>Synth effects</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="27" />
        <source>Ethnic</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="28" />
        <source>Percussive</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="29" />
        <source>Sound effects</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/catalogue.py" line="31" />
        <source>Other sounds</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>HeadColumn</name>
    <message>
        <location filename="../player/lanes/heads.py" line="85" />
        <source>Lanes</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Health</name>
    <message>
        <location filename="../health.py" line="42" />
        <source>Restarts {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="44" />
        <source>How often the engine has been restarted.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="52" />
        <source>Start tries again.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="54" />
        <source>Paused</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="55" />
        <source>Playing</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="55" />
        <source>The engine is playing.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="56" />
        <source>Ready</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="56" />
        <source>The engine runs, and there is nothing to hear: open a song or play a note.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="57" />
        <source>Starting</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="57" />
        <source>The engine is starting.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="59" />
        <source>Stalled</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="61" />
        <source>The audio device has stopped asking for sound; if it does not come back, the engine is started again by itself.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="66" />
        <source>Waiting</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="68" />
        <source>The audio device is missing; sound resumes as soon as it is back.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="70" />
        <source>Finished</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="70" />
        <source>The song has ended.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="72" />
        <source>Stopped</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="74" />
        <source>There is no sound: press Start.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="92" />
        <source>The song is paused; Play continues from here.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="94" />
        <source>The instrument can be played meanwhile.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="116" />
        <source>Now and then the model is late, and the sound plays unseparated: the model needs a little more time.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="120" />
        <source>The sound needs more time than there is: choose a larger block in the settings.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="140" />
        <source>Give it {:.1f} ms more</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="146" />
        <source>Nothing is heard: connect a sound card or start JACK, and choose it in the settings.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="147" />
        <source>Silent: no sound card</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="149" />
        <source>Sound goes through {}.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="155" />
        <source>{} frames</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="155" />
        <source>any block</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="156" />
        <source>The model holds sound back for {:.1f} ms, rate conversion for {:.1f} ms, effects and plugins for {:.1f} ms, the buffers for {:.1f} ms (of which the model gets {:.1f} ms to work).</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="161" />
        <source>Sample rate of the device.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="162" />
        <source>Frames of one callback: fewer mean less latency and more work.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="165" />
        <source>{:.1f} ms</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="167" />
        <source>Round trip from input to output.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="178" />
        <source>The model itself is fast enough, but other programs take the processor. Close some of them.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="180" />
        <source>A smaller model or a larger block helps.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="183" />
        <source>DSP</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="183" />
        <source>A larger block or fewer other programs help.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="184" />
        <source>Model</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="188" />
        <source>{} takes {:.0f} % of its time, and at most {:.0f} % in 99 of 100 blocks.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="198" />
        <source>The sound card had no samples {} times; a larger block helps. A click resets the counters.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="199" />
        <source>{} blocks were not ready in time and were played unseparated. A click resets the counters.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="203" />
        <source>Xruns {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="209" />
        <source>Misses {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="221" />
        <source>No realtime</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="222" />
        <location filename="../health.py" line="221" />
        <source>Realtime priority: {}.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../health.py" line="222" />
        <source>Realtime</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>HelpPage</name>
    <message>
        <location filename="../pages/help.py" line="25" />
        <source>Help: keyboard shortcuts</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InputLevel</name>
    <message>
        <location filename="../settings/level.py" line="70" />
        <source>Show level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/level.py" line="70" />
        <source>Show the level of the input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/level.py" line="71" />
        <source>Listen to the chosen input now, without applying it.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InputStrip</name>
    <message>
        <location filename="../inserts/rack.py" line="179" />
        <source>Choose …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="180" />
        <source>Choose an input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="181" />
        <source>Choose a microphone or another input in the settings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="211" />
        <source>on the live input, before it is separated</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="213" />
        <source>for a microphone or another input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="215" />
        <source>not heard: Monitor is off</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InsertEditor</name>
    <message>
        <location filename="../inserts/editor.py" line="222" />
        <source>Reset</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="223" />
        <source>Reset all parameters to their defaults</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="225" />
        <source>Close</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InsertMenu</name>
    <message>
        <location filename="../inserts/slot.py" line="254" />
        <source>Edit …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="255" />
        <source>Plugin's own window</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="256" />
        <source>Switch on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="256" />
        <source>Bypass</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="257" />
        <source>Start again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="258" />
        <source>Replace …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="259" />
        <source>Move up</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="260" />
        <source>Move down</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="261" />
        <source>Remove</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InsertMoves</name>
    <message>
        <location filename="../insert_moves.py" line="111" />
        <source>{0}: add {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="118" />
        <source>{0}: {1} instead of {2}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="124" />
        <source>{0}: remove {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="135" />
        <source>{0}: order of effects</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="148" />
        <source>Move {0} to {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="159" />
        <source>{0}: effects</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="166" />
        <source>{0}: bypass {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="166" />
        <source>{0}: {1} on again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="196" />
        <source>Instrument: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="196" />
        <source>none</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../insert_moves.py" line="218" />
        <source>{0} has {1} slots for effects, and all are taken.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InsertPanel</name>
    <message>
        <location filename="../inserts/editor.py" line="55" />
        <location filename="../inserts/editor.py" line="55" />
        <source>Search parameters</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="81" />
        <source>Start again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="83" />
        <source>Bypass</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="83" />
        <source>Bypass this effect</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="83" />
        <source>Hear the sound without this effect</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="86" />
        <source>Plugin's own window</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="99" />
        <source>Reset {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="117" />
        <source>Looking for its parameters …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="118" />
        <source>The parameters of this plugin are not known, because it could not be loaded.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="144" />
        <source>{0} of {1} parameters: search for the others.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="145" />
        <source>Double click or Del: default. Right click: MIDI learn.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="146" />
        <source>It has no parameters.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/editor.py" line="146" />
        <source>Nothing matches.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InsertRack</name>
    <message>
        <location filename="../inserts/rack.py" line="34" />
        <source>Effects of {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="73" />
        <source>FX {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="73" />
        <source>+ FX</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="73" />
        <source>Effects {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="73" />
        <source>+ Effect</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/rack.py" line="93" />
        <source>Add an effect …</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InsertSlot</name>
    <message>
        <location filename="../inserts/slot.py" line="151" />
        <source>+ Effect</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="152" />
        <source>Add an effect to {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="155" />
        <source>Switch of slot {0} of {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="160" />
        <source>{0}, effect {1}: {2}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="162" />
        <source>Click: edit. Drag or Alt+↑, Alt+↓: move. B: bypass. Del: remove. Right click: menu.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="164" />
        <source>Switch {0} of {1} on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="165" />
        <location filename="../inserts/slot.py" line="164" />
        <source>Start {0} of {1} again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/slot.py" line="165" />
        <source>Bypass {0} of {1}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InstrumentBrowser</name>
    <message>
        <location filename="../inserts/browser.py" line="294" />
        <source>Search, for example piano</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="295" />
        <source>Choose an instrument</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="296" />
        <source>Search instruments</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="297" />
        <source>Instruments</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="298" />
        <source>Use</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="317" />
        <source>{0} is a {1}, not an instrument.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="323" />
        <source>{} is an effect, not an instrument.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="326" />
        <source>Models</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/library.py" line="189" />
        <source>Neural synthesiser with {} sounds</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InstrumentButton</name>
    <message>
        <location filename="../inserts/instrument.py" line="76" />
        <source>Start {} again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/instrument.py" line="76" />
        <source>Instrument {}: choose another, or change it</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/instrument.py" line="90" />
        <source>Choose an instrument …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/instrument.py" line="91" />
        <source>Edit …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/instrument.py" line="93" />
        <source>Plugin's own window</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/instrument.py" line="97" />
        <source>Start again</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InstrumentPage</name>
    <message>
        <location filename="../pages/instrument.py" line="59" />
        <source>No instrument is loaded</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/instrument.py" line="62" />
        <source>SING is a neural synthesiser: it plays from a MIDI keyboard, from the computer's keys and from the keyboard on this page. An installed VST3 or LV2 instrument can play in its place. Loading interrupts the sound for a moment.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/instrument.py" line="69" />
        <source>Load SING</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/instrument.py" line="72" />
        <source>Choose a plugin …</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InstrumentPanel</name>
    <message>
        <location filename="../instrument/panel.py" line="153" />
        <location filename="../instrument/panel.py" line="90" />
        <source>Channel {0}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="155" />
        <source>Sounds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="155" />
        <source>Morph</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="162" />
        <source>Settings of the instrument</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="163" />
        <source>Touch</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="163" />
        <source>Channels</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="163" />
        <source>MIDI</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="163" />
        <source>Learn</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="172" />
        <source>Instrument …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="173" />
        <source>Choose another instrument: a model, or an installed plugin</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="175" />
        <source>Pedal</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="177" />
        <source>Sustain pedal (space bar, when the keyboard has the focus)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="180" />
        <source>Octave −</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="180" />
        <source>Octave +</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="181" />
        <source>An octave lower (Z)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/panel.py" line="182" />
        <source>An octave higher (X)</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InstrumentStatus</name>
    <message>
        <location filename="../instrument/status.py" line="23" />
        <source>Notes sounding now.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="24" />
        <source>Share of the available time that the notes take, median and 99th percentile.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="25" />
        <source>From a key to its sound, without the sound card's own buffers.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="26" />
        <source>Share of the notes in the note cache; the others cost more when they are first struck.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="29" />
        <source>Notes that were cut off because all voices were in use.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="30" />
        <source>Messages that arrived too late to be played on time.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="31" />
        <source>Blocks that were not ready in time and are silent.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="44" />
        <source>Keys down {0}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="44" />
        <source>Voices {0} of {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="47" />
        <source>Load {0:.0%} ({1:.0%})</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="48" />
        <source>{0:.1f} ms to sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="49" />
        <source>{0:.0%} prepared</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="50" />
        <source>Stolen {0}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="51" />
        <source>Late {0}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/status.py" line="52" />
        <source>Missed {0}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>InstrumentTab</name>
    <message>
        <location filename="../settings/models.py" line="146" />
        <source>Plugin …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="147" />
        <source>Choose an installed VST3 or LV2 instrument</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="150" />
        <source>Instrument</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="151" />
        <source>MIDI input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="157" />
        <location filename="../settings/models.py" line="155" />
        <source>Voices</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="158" />
        <source>Card of the instrument</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="163" />
        <source>None</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="171" />
        <source>All inputs, also those plugged in later</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="172" />
        <source>A port of Stemplay's own, for other programs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="174" />
        <source>{} (not there now)</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Keyboard</name>
    <message>
        <location filename="../instrument/keyboard.py" line="53" />
        <source>Piano keyboard</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/keyboard.py" line="55" />
        <source>Keys A W S E D F T G Y H U J K O L P play, Z and X change the octave, C and V the velocity, space is the pedal.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LabTab</name>
    <message>
        <location filename="../pages/tabs.py" line="38" />
        <location filename="../pages/tabs.py" line="31" />
        <source>Lab</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/tabs.py" line="35" />
        <source>Page Lab, a menu: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/tabs.py" line="36" />
        <source>For research: {}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LaneBoard</name>
    <message>
        <location filename="../player/lanes/board.py" line="40" />
        <source>Part of the song in sight</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="130" />
        <source>Rename marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="130" />
        <source>Rename loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="131" />
        <source>Name</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="141" />
        <source>Go to “{}”</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="147" />
        <location filename="../player/lanes/board.py" line="142" />
        <source>Rename …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="148" />
        <location filename="../player/lanes/board.py" line="143" />
        <source>Delete</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="145" />
        <source>Play the loop “{}”</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="146" />
        <source>Show it large</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="150" />
        <source>Add a marker here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="151" />
        <source>Keep the loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/board.py" line="154" />
        <source>Show the whole song</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LaneHead</name>
    <message>
        <location filename="../player/lanes/heads.py" line="28" />
        <source>Lane {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/heads.py" line="29" />
        <source>A click mutes, Shift and a click solos</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/heads.py" line="32" />
        <source>Mute {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/heads.py" line="33" />
        <source>Solo {}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LaneTools</name>
    <message>
        <location filename="../player/lanes/tools.py" line="26" />
        <source>Zoom out (Ctrl+−)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="27" />
        <source>Zoom in (Ctrl++)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="28" />
        <source>Fit</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="28" />
        <source>Show the whole song (Ctrl+0)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="29" />
        <source>Follow</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="29" />
        <source>Scroll with the song while it plays</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="99" />
        <location filename="../player/lanes/tools.py" line="32" />
        <source>Stems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="32" />
        <source>Draw the stems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="34" />
        <source>Markers of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="36" />
        <source>+ Marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="36" />
        <source>Add a marker at the playhead (Ctrl+M)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="37" />
        <source>Change the markers</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="38" />
        <source>Loops of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="40" />
        <source>Keep loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="40" />
        <source>Keep the loop with the song (Ctrl+L)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="41" />
        <source>Change the loops</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="84" />
        <source>Markers: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="86" />
        <source>No loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="86" />
        <source>Loop A–B</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="99" />
        <source>Stems {} %</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="103" />
        <source>{} % of the song is separated; press to cancel</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/tools.py" line="105" />
        <source>Draw the stems: the song is separated in the background, when the processor has nothing else to do</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LaneView</name>
    <message>
        <location filename="../player/lanes/view.py" line="60" />
        <source>Picture of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/view.py" line="165" />
        <source>{} of {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/view.py" line="168" />
        <source>{} to {} in sight</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/view.py" line="171" />
        <source>lane {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/view.py" line="171" />
        <source>lane {}, not heard</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/view.py" line="351" />
        <source>Looking through the song …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/lanes/view.py" line="351" />
        <source>The song is being loaded …</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Learn</name>
    <message>
        <location filename="../instrument/learn.py" line="64" />
        <source>key {0}, channel {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="65" />
        <source>controller {0}, channel {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="18" />
        <source>MIDI learn</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="23" />
        <source>Stop waiting for a controller</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="23" />
        <source>MIDI learn: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="24" />
        <source>Forget the controller of {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="32" />
        <source>MIDI needs an instrument: choose one in the settings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="52" />
        <source>pan</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="52" />
        <source>level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="52" />
        <source>mute</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="52" />
        <source>solo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="52" />
        <source>record arm</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="57" />
        <source>Dry/wet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="57" />
        <source>Master: level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="57" />
        <source>Bypass</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="58" />
        <source>Monitor</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="58" />
        <source>Limiter</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="59" />
        <source>Click</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="59" />
        <source>Click: level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="59" />
        <source>Click: count-in</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="60" />
        <source>Attack</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="60" />
        <source>Release</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="61" />
        <source>Play or pause</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="61" />
        <source>To the start</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="61" />
        <source>Record</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="62" />
        <source>Loop: A, B, off</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="62" />
        <source>Tempo of clock and Link</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="63" />
        <source>Tempo of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/learn.py" line="63" />
        <source>Key of the song</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LearnPanel</name>
    <message>
        <location filename="../instrument/learn.py" line="82" />
        <source>Control to learn</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="143" />
        <location filename="../instrument/learn.py" line="84" />
        <source>Learn</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="87" />
        <source>Learnt controllers</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="91" />
        <source>Soft takeover</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="92" />
        <source>The chosen controller has no effect until it reaches its control, so that nothing jumps.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="94" />
        <source>Forget</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="96" />
        <source>Forget all</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="143" />
        <source>Cancel</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="146" />
        <source>Move a controller or press a button now, for {0}.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/learn.py" line="148" />
        <source>A right click on a fader, a knob, a slider or a button does the same. Buttons take keys, too.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LevelBar</name>
    <message>
        <location filename="../settings/level.py" line="32" />
        <source>Level of the input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/level.py" line="41" />
        <source>{:.0f} dB</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ListeningPage</name>
    <message>
        <location filename="../pages/listening.py" line="37" />
        <source>Listening tests</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/listening.py" line="114" />
        <source>Opening the sound device …</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>LiveView</name>
    <message>
        <location filename="../views/live.py" line="165" />
        <source>{0:.1f} s ago</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MainWindow</name>
    <message>
        <location filename="../window.py" line="132" />
        <source>Page</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="134" />
        <source>Lab</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="149" />
        <source>Pages</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="170" />
        <location filename="../window.py" line="170" />
        <source>Bypass</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="170" />
        <source>Hear the unprocessed input (Ctrl+B)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="176" />
        <location filename="../window.py" line="174" />
        <source>Panic</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="177" />
        <source>Silence now: the song pauses, all notes end (Shift+Esc)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="311" />
        <location filename="../window.py" line="179" />
        <source>Start</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="208" />
        <location filename="../window.py" line="182" />
        <location filename="../window.py" line="181" />
        <source>Menu</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="213" />
        <source>Keep playing when the window is closed</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="298" />
        <source>It had crashed.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="300" />
        <source>The engine was restarted, with the same mixer. {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="311" />
        <source>Stop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="312" />
        <source>Stop the sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="312" />
        <source>Start the sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="321" />
        <source>Stopping …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../window.py" line="321" />
        <source>Starting …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/tabs.py" line="18" />
        <source>Page {}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MakeCard</name>
    <message>
        <location filename="../listening/make.py" line="36" />
        <source>Make a test</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="40" />
        <source>Add a folder of sound files for each system, with the same file names in all. The first one is the reference.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="44" />
        <source>Folders of the systems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="162" />
        <location filename="../listening/make.py" line="50" />
        <source>Make the test…</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="60" />
        <source>Add a folder…</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="62" />
        <source>Remove</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="63" />
        <source>Remove the chosen folders</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="74" />
        <source>Rate each sound from 1 to 5 (MOS)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="75" />
        <source>Which of two is closer to the reference (ABX)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="77" />
        <source>all</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="78" />
        <source>whole files</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="81" />
        <source>Kind</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="82" />
        <source>Participants</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="83" />
        <source>Trials for each</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="84" />
        <source>Extract</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="141" />
        <location filename="../listening/make.py" line="135" />
        <source>The test could not be made.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="144" />
        <source>Folder of a system</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="154" />
        <source>New folder of the test</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/make.py" line="162" />
        <source>Making the test …</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MasterStrip</name>
    <message>
        <location filename="../widgets/strip.py" line="325" />
        <location filename="../widgets/strip.py" line="323" />
        <source>Limiter</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="326" />
        <source>Keeps the output below full scale; leave it on unless you have a reason to switch it off</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="338" />
        <source>move a control …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="345" />
        <source>level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="345" />
        <source>limiter</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="349" />
        <source>limiting {} dB</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="349" />
        <source>limiter idle</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MixerModel</name>
    <message>
        <location filename="../mixer_model.py" line="112" />
        <location filename="../mixer_model.py" line="110" />
        <source>A/B</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../mixer_model.py" line="123" />
        <source>Reset mixer</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="70" />
        <source>Preset {}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MixerPage</name>
    <message>
        <location filename="../pages/mixer.py" line="52" />
        <source>Mixer</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="79" />
        <source>Undo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="79" />
        <source>Undo the last mixer move (Ctrl+Z)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="80" />
        <source>Redo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="80" />
        <source>Redo the last undone move (Ctrl+Shift+Z)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="89" />
        <source>Reset</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="89" />
        <source>All faders to 0 dB, all pans to the centre, no mute and no solo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="119" />
        <source>Dry/wet: share of the separated stems in percent</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="120" />
        <source>How much of the separated stems against the original mix is heard</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="130" />
        <source>Dry</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="130" />
        <source>Wet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="142" />
        <source>Strips</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="271" />
        <source>Dry/wet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/mixer.py" line="274" />
        <source>dry/wet</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ModelTab</name>
    <message>
        <location filename="../settings/models.py" line="84" />
        <source>From a folder …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="86" />
        <source>Model</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="87" />
        <source>Stems sum to the input exactly</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="88" />
        <source>The residual of the model is divided among the stems.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="106" />
        <location filename="../settings/models.py" line="94" />
        <source> ms</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="95" />
        <source>no</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="102" />
        <location filename="../settings/models.py" line="97" />
        <source>Look ahead</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="99" />
        <source>Cleaner stems, with this much more latency; 17 ms is a good value. For songs, or if latency does not matter.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="107" />
        <source>what it needs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="114" />
        <location filename="../settings/models.py" line="109" />
        <source>Time for the model</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="111" />
        <source>Part of the latency, in whole blocks. Without a number, the model is timed on this machine.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="115" />
        <source>Card of the model</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="120" />
        <source>None: equal parts of the input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/models.py" line="134" />
        <source>A folder with model.onnx and card.json</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MonitorSwitch</name>
    <message>
        <location filename="../player/monitor.py" line="69" />
        <location filename="../player/monitor.py" line="40" />
        <source>Monitor</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/monitor.py" line="64" />
        <location filename="../player/monitor.py" line="41" />
        <source>Monitor the input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/monitor.py" line="43" />
        <source>Hear the live input through the mixer. Off: it is only metered and recorded, not heard.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/monitor.py" line="65" />
        <source>This may howl: the microphone may hear the loudspeakers.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/monitor.py" line="67" />
        <source>Use headphones, or turn the master down first. Panic (Shift+Esc) ends any howl.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MorphPad</name>
    <message>
        <location filename="../instrument/pad.py" line="44" />
        <source>Morph pad</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>MorphPanel</name>
    <message>
        <location filename="../instrument/morph.py" line="27" />
        <source>What the pad plays</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/morph.py" line="32" />
        <source>Sound top left</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/morph.py" line="32" />
        <source>Sound top right</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/morph.py" line="32" />
        <source>Sound bottom left</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/morph.py" line="32" />
        <source>Sound bottom right</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>NoticeBar</name>
    <message>
        <location filename="../widgets/notice.py" line="50" />
        <source>Dismiss the notice</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/notice.py" line="155" />
        <location filename="../widgets/notice.py" line="56" />
        <source>What would help</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Pages</name>
    <message>
        <location filename="../pages/__init__.py" line="41" />
        <source>Start</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/__init__.py" line="42" />
        <source>Mixer</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/__init__.py" line="43" />
        <source>Views</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/__init__.py" line="44" />
        <source>Instrument</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/__init__.py" line="45" />
        <source>Player</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/__init__.py" line="46" />
        <source>Listening tests</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/__init__.py" line="47" />
        <source>Training curves</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/__init__.py" line="48" />
        <source>Help</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ParameterRow</name>
    <message>
        <location filename="../inserts/row.py" line="22" />
        <source>Off</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/row.py" line="22" />
        <source>On</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/row.py" line="53" />
        <source>{}, to type</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/row.py" line="56" />
        <source>From {0} to {1}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/row.py" line="58" />
        <source>Default: {}. Right click: MIDI learn.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/row.py" line="81" />
        <source>move a control …</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Player</name>
    <message>
        <location filename="../player/choose.py" line="17" />
        <source>Sound files</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/choose.py" line="18" />
        <source>All files</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/choose.py" line="21" />
        <source>Open a song</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>PlayerModel</name>
    <message>
        <location filename="../player/player_model.py" line="192" />
        <source>A loop needs some length: set A, go on, and set B.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/player_model.py" line="218" />
        <source>Live</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/player_model.py" line="223" />
        <source>Record</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>PlayerPage</name>
    <message>
        <location filename="../pages/player.py" line="101" />
        <source>Open song …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="103" />
        <source>Recent</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="104" />
        <source>Songs opened before</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="106" />
        <source>Export stems …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="108" />
        <source>Close song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="123" />
        <source>Drop a song here, or open one: WAV, FLAC, OGG, MP3, M4A.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="138" />
        <source>To the start</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="139" />
        <source>Five seconds back</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="249" />
        <location filename="../pages/player.py" line="140" />
        <source>Play</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="141" />
        <source>Five seconds on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="144" />
        <source>Loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="147" />
        <source>Loop from</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="147" />
        <source>Loop to</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="148" />
        <source>Set A here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="150" />
        <source>Set B here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="152" />
        <source>End loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="154" />
        <source>Snap to bars</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="154" />
        <source>Snap loops to bars</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="154" />
        <source>Loops begin and end at bars of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="157" />
        <location filename="../pages/player.py" line="157" />
        <source>Click</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="157" />
        <source>A click at the beats; its level is in the mixer</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="182" />
        <source>{}: minutes:seconds</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="230" />
        <source>No song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="232" />
        <source>The sound comes from an input, or there is none.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="249" />
        <source>Pause</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="259" />
        <source>Looking through the song …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="260" />
        <source>mono</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="260" />
        <source>stereo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/player.py" line="265" />
        <source>plays its own stems, without a model</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>PluginBrowser</name>
    <message>
        <location filename="../inserts/browser.py" line="39" />
        <source>Search effects and plugins</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="41" />
        <source>Category</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="43" />
        <source>Effects and plugins</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="89" />
        <source>Scan again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="90" />
        <source>Look for installed plugins again, also for those that failed before</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="92" />
        <source>From a file …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="94" />
        <source>Choose a plugin that is in none of the usual folders. Its path can also be typed into the search.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="97" />
        <source>Close</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="99" />
        <source>Add</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="124" />
        <source>A file …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="125" />
        <source>A folder (most .vst3 plugins are folders) …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="136" />
        <source>Plugins (*.vst3 *.component)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="136" />
        <source>All files (*)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="137" />
        <source>The file of a plugin</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="140" />
        <source>The folder of a plugin (.vst3, .component)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="188" />
        <source>All categories</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="188" />
        <source>Built in</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="188" />
        <source>Installed plugins</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="232" />
        <source>Cannot be used</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="233" />
        <source>Other</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="234" />
        <source>{0} · built in</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="234" />
        <source>{0} · plugins</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="251" />
        <source>Loading {} …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="253" />
        <source>Looking for installed plugins …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="255" />
        <source>Installed plugins cannot be listed: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="257" />
        <source>Installed plugins: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="259" />
        <source>Return loads the plugin with this name.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../inserts/browser.py" line="260" />
        <source>Nothing matches.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>PluginLibrary</name>
    <message>
        <location filename="../inserts/library.py" line="143" />
        <source>{0} of {1}: {2}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>PortPanel</name>
    <message>
        <location filename="../instrument/ports.py" line="34" />
        <location filename="../instrument/ports.py" line="23" />
        <source>MIDI input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/ports.py" line="27" />
        <source>Look again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/ports.py" line="32" />
        <source>Changing the input interrupts the sound for a moment.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/ports.py" line="66" />
        <source>Open: {0}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/ports.py" line="66" />
        <source>No input is open.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/ports.py" line="77" />
        <source>All inputs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/ports.py" line="77" />
        <source>No MIDI</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../instrument/ports.py" line="77" />
        <source>An input of Stemplay's own (virtual)</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>PresetMenu</name>
    <message>
        <location filename="../presets.py" line="177" />
        <location filename="../presets.py" line="105" />
        <source>Presets</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="106" />
        <source>Rename</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="106" />
        <source>Delete</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="118" />
        <source>Save as …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="154" />
        <source>Save preset</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="166" />
        <location filename="../presets.py" line="154" />
        <source>Name</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="159" />
        <source>Replace the preset “{}”?</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="166" />
        <source>Rename preset</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../presets.py" line="172" />
        <source>Delete the preset “{}”?</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>RainbowView</name>
    <message>
        <location filename="../views/live.py" line="238" />
        <source>Rainbowgram</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/live.py" line="249" />
        <source>note, Hz</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Rating</name>
    <message>
        <location filename="../listening/parts.py" line="126" />
        <source>{question}, {point} of 5{meaning}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Recent</name>
    <message>
        <location filename="../player/recent.py" line="25" />
        <source>{} is not there: it was moved, renamed or deleted, or its disk is not connected.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>RecentMenu</name>
    <message>
        <location filename="../player/recent.py" line="46" />
        <source>Recent songs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recent.py" line="60" />
        <source>No song yet</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recent.py" line="65" />
        <source>Clear the list</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>RecordingCard</name>
    <message>
        <location filename="../player/recording.py" line="40" />
        <source>Recording</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="44" />
        <source>Folder of recordings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="46" />
        <source>Choose …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="47" />
        <source>Choose the folder of recordings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="53" />
        <source>Folder</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="59" />
        <source>Format of recordings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="61" />
        <source>Format</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="66" />
        <source>Open folder</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="79" />
        <source>Recordings go into</source>
        <translation type="unfinished" />
    </message>
    <message numerus="yes">
        <location filename="../player/recording.py" line="107" />
        <source> %n block(s) were lost: the disk is too slow.</source>
        <translation type="unfinished">
            <numerusform />
        </translation>
    </message>
    <message>
        <location filename="../player/recording.py" line="112" />
        <source>Recording {} into “{}”.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="112" />
        <source>Recorded {} into “{}”.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="116" />
        <source>The mix would be recorded; no strip is armed.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="118" />
        <source>The mix and all strips would be recorded.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/recording.py" line="119" />
        <source>The mix and {} would be recorded.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>RoundTripTab</name>
    <message>
        <location filename="../settings/roundtrip.py" line="27" />
        <source>Connect an output of the sound card to an input with a cable, or hold the microphone to the loudspeaker.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="30" />
        <source>Turn both to a middle level. Eight short chirps will be played on the chosen output.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="31" />
        <source>Press Measure. The result replaces the host's estimate wherever this pair of devices is used.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="42" />
        <source>Devices</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="46" />
        <source>Input channel of the cable</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="47" />
        <source>Input channel</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="141" />
        <location filename="../settings/roundtrip.py" line="50" />
        <source>Measure</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="52" />
        <source>Forget the measurement</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="60" />
        <source>Progress of the measurement</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="76" />
        <source>…</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="79" />
        <source>{output} to {input}, {rate} Hz, {block} frames</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="84" />
        <source>Choose an input and an output device first, in the tab Sound.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="89" />
        <source>Measured: {:.2f} ms ({:.0f} samples); the host estimates {:.2f} ms.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="98" />
        <source>Cancelled.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="104" />
        <source>Listening for the chirps …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/roundtrip.py" line="114" />
        <source>Cancel</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ScrollPlot</name>
    <message>
        <location filename="../views/picture.py" line="112" />
        <source>seconds ago</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>SeekSlider</name>
    <message>
        <location filename="../player/seek.py" line="26" />
        <source>Position in the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/seek.py" line="37" />
        <source>{} of {}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>SettingsDialog</name>
    <message>
        <location filename="../settings/dialog.py" line="24" />
        <source>Settings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="34" />
        <source>Sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="34" />
        <source>Model</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="35" />
        <source>Instrument and MIDI</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="35" />
        <source>Control</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="35" />
        <source>Round trip</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="59" />
        <source>Look again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="60" />
        <source>Look again for devices, MIDI inputs and models</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="62" />
        <source>Apply</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="65" />
        <source>Close</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="92" />
        <source>The engine is restarting with these settings …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/dialog.py" line="101" />
        <source>Applied.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Shortcuts</name>
    <message>
        <location filename="../shortcuts.py" line="27" />
        <source>Window</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="28" />
        <source>Views</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="29" />
        <source>Mixer</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="30" />
        <source>Listening tests</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="31" />
        <source>Song and recording</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="32" />
        <source>Instrument, wherever no text is typed</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="33" />
        <source>Faders, knobs and buttons, when they have the focus</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="34" />
        <source>Picture of the song, when it has the focus</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="35" />
        <source>Slots of effects, when they have the focus</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="38" />
        <source>Bypass: hear the unprocessed input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="43" />
        <source>Panic: silence now; the song pauses, all notes end</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="45" />
        <source>Start or stop the sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="46" />
        <source>Next page</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="47" />
        <source>Page before</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="48" />
        <source>Settings</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="49" />
        <source>Dark or light</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="50" />
        <source>Full screen</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="51" />
        <source>Help: all keys</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="52" />
        <source>Take the tour of the window</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="53" />
        <source>Close the window</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="54" />
        <source>Open a song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="55" />
        <source>Play or pause, where no text is typed</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="56" />
        <source>To the start of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="57" />
        <source>Five seconds back</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="58" />
        <source>Five seconds on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="59" />
        <source>Point A: loop from here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="60" />
        <source>Point B: loop to here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="61" />
        <source>End the loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="62" />
        <source>Keep the loop with the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="63" />
        <source>Play the next loop that was kept</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="64" />
        <source>Add a marker at the playhead</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="65" />
        <source>To the marker before</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="66" />
        <source>To the next marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="67" />
        <source>Show less of the song, larger</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="68" />
        <source>Show more of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="69" />
        <source>Show the whole song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="70" />
        <source>Tempo 5 % slower</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="71" />
        <source>Tempo 5 % faster</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="72" />
        <source>Key a semitone lower</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="73" />
        <source>Key a semitone higher</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="74" />
        <source>Start or end a recording</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="75" />
        <source>Export the stems of the song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="76" />
        <source>Undo a mixer move, or a change of markers and loops</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="77" />
        <source>Do it again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="78" />
        <source>A/B: the original mix or the separated stems</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="79" />
        <source>Mute strip 1 to 9</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="80" />
        <source>Solo strip 1 to 9</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="81" />
        <source>Hold the picture, or let it go on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="82" />
        <source>Play or stop the sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="83" />
        <source>Play or stop the reference</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="84" />
        <source>Play or stop A</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="85" />
        <source>Play or stop B</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="86" />
        <source>Rate from 1 to 5; or 1 for A, 2 for B</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="87" />
        <source>Keep the answer, next sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="92" />
        <source>A small step (half a dB)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="93" />
        <source>A large step (3 dB)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="94" />
        <source>Minimum and maximum</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="95" />
        <source>Back to 0 dB or the centre, like a double click</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="100" />
        <source>Mute, solo, record arm of the strip in focus</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="102" />
        <source>Press the button in focus</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="107" />
        <source>Held while dragging or turning the wheel: fine steps</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="109" />
        <source>Five seconds back or on, to the start, to the end</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="110" />
        <source>Choose a lane</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="111" />
        <source>Mute or solo the chosen lane</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="112" />
        <source>Loop from here, to here, end the loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="113" />
        <source>Scroll by a page</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="114" />
        <source>Rename or delete the chosen marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="115" />
        <source>Move the chosen marker by a tenth of a second</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="116" />
        <source>Held while turning the wheel: zoom, scroll</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="117" />
        <source>Move the effect up or down</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="118" />
        <source>Bypass the effect, or switch it on again</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="119" />
        <source>Remove the effect</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="124" />
        <source>Play: a semitone each, from C</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="126" />
        <source>An octave lower or higher</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="127" />
        <source>Softer or louder</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="128" />
        <source>Sustain pedal, when the piano has the focus</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="133" />
        <source>Move the point of the morph pad; with Shift in large steps</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../shortcuts.py" line="135" />
        <source>The point of the morph pad back to the middle</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>SongFacts</name>
    <message>
        <location filename="../player/song_facts.py" line="73" />
        <source>Looking for the beats … {} %</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/song_facts.py" line="81" />
        <source>No beats and no key were found.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/song_facts.py" line="86" />
        <source>{} minor</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/song_facts.py" line="86" />
        <source>{} major</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/song_facts.py" line="94" />
        <source>bar {0}, beat {1}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>SongMarks</name>
    <message>
        <location filename="../player/marks.py" line="80" />
        <source>Marker {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="82" />
        <source>Add marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="88" />
        <source>Rename marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="93" />
        <source>Move marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="98" />
        <source>Delete marker</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="125" />
        <source>Loop {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="126" />
        <source>Keep loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="132" />
        <source>Rename loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="137" />
        <source>Delete loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="151" />
        <source>Change loop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/marks.py" line="168" />
        <source>Loop</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>SongTempo</name>
    <message>
        <location filename="../player/tempo.py" line="50" />
        <source>Tempo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/tempo.py" line="50" />
        <source>Key</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>SoundTab</name>
    <message>
        <location filename="../settings/sound.py" line="39" />
        <location filename="../settings/sound.py" line="35" />
        <source>Output</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="175" />
        <location filename="../settings/sound.py" line="36" />
        <source>Test tone</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="37" />
        <source>Play a tone on the chosen output: left, right, both. Nothing is applied.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="41" />
        <location filename="../settings/sound.py" line="40" />
        <source>Input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="46" />
        <source>Input channels</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="47" />
        <source>Channels</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="49" />
        <source>Level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="54" />
        <source>Monitoring</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="56" />
        <location filename="../settings/sound.py" line="55" />
        <source>Rate</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="58" />
        <location filename="../settings/sound.py" line="57" />
        <source>Block</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="64" />
        <source>Latency expected</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="74" />
        <source>On: a live input is heard through the mixer. With loudspeakers it may howl.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="75" />
        <source>Off: a live input is only metered and recorded, not heard.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="85" />
        <source>{} (not there now)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="89" />
        <source>No sound card (silent clock)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="92" />
        <source>None</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="94" />
        <source>Song: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="95" />
        <source>What this computer plays</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="104" />
        <source>The host's choice</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="106" />
        <location filename="../settings/sound.py" line="105" />
        <source>{} frames</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="114" />
        <source>System's choice: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="114" />
        <source>System's choice</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="119" />
        <source>{}  ({}, {} channels)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="127" />
        <source>The first two</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="129" />
        <source>{} (mono)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="133" />
        <source>The device's own</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="140" />
        <source>…</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="140" />
        <source>Impossible</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="150" />
        <source>measured</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="150" />
        <source>the host's estimate</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="151" />
        <source>model {:.1f} + rate conversion {:.1f} + its work {:.1f} + device {:.1f} ({})</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="167" />
        <source>Stop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="170" />
        <source>Left</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="170" />
        <source>Right</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../settings/sound.py" line="170" />
        <source>Both</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>SpectrogramView</name>
    <message>
        <location filename="../views/live.py" line="175" />
        <source>Spectrogram</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/live.py" line="205" />
        <source>Hz, mel scale</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/live.py" line="205" />
        <source>Hz</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>StartPage</name>
    <message>
        <location filename="../pages/start.py" line="56" />
        <source>Start</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="91" />
        <location filename="../pages/start.py" line="79" />
        <source>What do you want to hear?</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="82" />
        <source>Take the tour</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="83" />
        <source>Six hints to the parts of the window, in a minute (Shift+F1)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="96" />
        <source>The demo song</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="96" />
        <source>Forty seconds, in four stems at once.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="99" />
        <source>A song of yours</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="99" />
        <source>WAV, FLAC, MP3, M4A and others; or drop one on the window.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="102" />
        <source>The microphone</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="103" />
        <source>Or a line-in: separated, denoised, with effects. Put on headphones.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="107" />
        <source>The keyboard</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="107" />
        <source>Play 66 instruments with MIDI, mouse or computer keys.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="111" />
        <source>It is not part of this installation.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="137" />
        <location filename="../pages/start.py" line="127" />
        <source>Recent songs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="129" />
        <source>Clear</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="131" />
        <source>Clear the list of recent songs</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/start.py" line="166" />
        <source>The microphone is open and not heard yet: put on headphones, then press Monitor.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>StartView</name>
    <message>
        <location filename="../listening/start.py" line="26" />
        <source>Listening tests</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="27" />
        <source>Compare systems by ear without knowing which is which: rate sounds from 1 to 5, or say which of two is closer to a reference. Each answer is saved at once, so you can leave a test at any time and continue later.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="31" />
        <source>Open a test…</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="32" />
        <source>Choose the folder of a listening test</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="49" />
        <source>Who is listening?</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="54" />
        <source>Sheet of the participant</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="57" />
        <source>Continue</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="66" />
        <source>Folder of a listening test</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/start.py" line="83" />
        <source>{name}: {done} of {total} answered</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>StatusBar</name>
    <message>
        <location filename="../widgets/statusbar.py" line="28" />
        <source>Status of the engine</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Stems</name>
    <message>
        <location filename="../theme.py" line="114" />
        <source>Drums</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../theme.py" line="115" />
        <source>Bass</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../theme.py" line="116" />
        <source>Other</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../theme.py" line="117" />
        <source>Vocals</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../theme.py" line="118" />
        <source>Instrument</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../theme.py" line="119" />
        <source>Master</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../theme.py" line="120" />
        <source>Input</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Strip</name>
    <message>
        <location filename="../widgets/strip.py" line="180" />
        <source>{} pan</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="181" />
        <source>Left and right: drag, wheel or arrows; double click for the centre</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="190" />
        <source>M</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="190" />
        <source>Mute {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="190" />
        <source>Mute {} (M)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="193" />
        <source>S</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="193" />
        <source>Solo {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="193" />
        <source>Solo {} (S)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="198" />
        <source>Record {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="199" />
        <source>Record {} to its own file (R)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="247" />
        <source>move a control …</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="249" />
        <source>muted</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="251" />
        <source>not soloed</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="305" />
        <location filename="../widgets/strip.py" line="253" />
        <source>solo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="305" />
        <source>level</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="305" />
        <source>pan</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="305" />
        <source>mute</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../widgets/strip.py" line="306" />
        <source>record arm</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>Tour</name>
    <message>
        <location filename="../tour.py" line="53" />
        <source>Begin here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="54" />
        <source>Choose the demo song, a song of yours, the microphone or the keyboard. A song may be dropped anywhere.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="58" />
        <source>A strip for each stem</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="59" />
        <source>Move the fader, press M to mute or S for solo. Effects go into the slot with the plus sign.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="63" />
        <source>Compare</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="64" />
        <source>Hear the original mix in place of the stems, as often as you like. Ctrl+Z takes back what you moved.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="68" />
        <source>Practise and export</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="69" />
        <source>The song's page: loop a passage between A and B, record, and export the stems as files or a project.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="73" />
        <source>Play along</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="74" />
        <source>A MIDI keyboard plays the instrument; so do the mouse and the keys A, W, S, E, D and on.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="78" />
        <source>The rest</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="79" />
        <source>The menu has settings, presets, recent songs and all keys. This tour is there, too (Shift+F1).</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="133" />
        <source>Back</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="134" />
        <source>Skip the tour</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="160" />
        <source>{} of {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="164" />
        <source>Next</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="164" />
        <source>Done</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../tour.py" line="166" />
        <source>Tour, {}: {}</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>TransportBar</name>
    <message>
        <location filename="../player/transport.py" line="38" />
        <source>Transport</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="42" />
        <source>Open a song (Ctrl+O)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="52" />
        <source>Record</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="105" />
        <source>To the start (Ctrl+Home)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="106" />
        <source>Play</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="115" />
        <source>Loop from here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="115" />
        <source>Point A: loop from here (Ctrl+[)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="116" />
        <source>Loop to here</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="116" />
        <source>Point B: loop to here (Ctrl+])</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="117" />
        <source>End the loop (Ctrl+\)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="121" />
        <source>Tempo</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="121" />
        <source>Tempo of the song (Ctrl+Up, Ctrl+Down); double click: as it is</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="124" />
        <source>Key</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="125" />
        <source>Key in semitones (Ctrl+Shift+Up, Ctrl+Shift+Down); drums keep their pitch; double click: as it is</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="166" />
        <source>Pause (Space)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="166" />
        <source>Play (Space)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="183" />
        <source>Live input: {}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="183" />
        <source>No song and no input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="195" />
        <source>Stop the recording (Ctrl+R)</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../player/transport.py" line="197" />
        <source>Record the mix and the armed strips (Ctrl+R)</source>
        <translation type="unfinished" />
    </message>
    <message numerus="yes">
        <location filename="../player/transport.py" line="205" />
        <source>%n block(s) lost</source>
        <translation type="unfinished">
            <numerusform />
        </translation>
    </message>
    <message>
        <location filename="../player/transport.py" line="206" />
        <source>Recording stopped</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>TrialView</name>
    <message>
        <location filename="../listening/trial.py" line="34" />
        <source>Keys: X, A and B play, 1 and 2 choose, Return goes on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="36" />
        <source>Keys: P plays, 1 to 5 rate, Return goes on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="52" />
        <source>Trials answered</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="53" />
        <source>Take a break</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="54" />
        <source>Leaves the test; all answers so far are saved</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="82" />
        <source>Position in the sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="86" />
        <source>Switching continues at the same position; pressing the playing one stops it.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="96" />
        <location filename="../listening/trial.py" line="96" />
        <source>A is closer to X</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="97" />
        <location filename="../listening/trial.py" line="97" />
        <source>B is closer to X</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="101" />
        <source>Which one is closer to the reference X?</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="113" />
        <source>Back</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="116" />
        <source>Next</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="132" />
        <source>Sound {number} of {total}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="135" />
        <source>Listen to the {source}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="167" />
        <source>■  Stop</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="167" />
        <source>▶  Play</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="171" />
        <location filename="../listening/trial.py" line="168" />
        <source>X, the reference</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="171" />
        <source>the sound</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="172" />
        <source>Stop {what}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="172" />
        <source>Play {what}</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="203" />
        <source>Listen to {names} first</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="205" />
        <source>Listen first</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../listening/trial.py" line="210" />
        <source>Answer to go on</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>ViewsPage</name>
    <message>
        <location filename="../pages/views.py" line="99" />
        <source>Spectrogram</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="99" />
        <source>Rainbowgram</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="99" />
        <source>Waveform</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="107" />
        <source>Source</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="111" />
        <source>Frequency</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="112" />
        <source>Logarithmic, 30 Hz to 20 kHz</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="112" />
        <source>Mel, to 8 kHz</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="116" />
        <source>Range</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="201" />
        <location filename="../pages/views.py" line="120" />
        <source>Freeze</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="122" />
        <source>Freeze the picture; the sound continues.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="126" />
        <source>What is under the mouse</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="172" />
        <source>Mix</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="172" />
        <source>Input</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="201" />
        <source>Go on</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="215" />
        <source>Nothing is drawn: the engine does not run.</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../pages/views.py" line="217" />
        <source>Nothing is drawn: this engine does not provide its sound for pictures.</source>
        <translation type="unfinished" />
    </message>
</context><context>
    <name>WaveformView</name>
    <message>
        <location filename="../views/live.py" line="270" />
        <source>Waveform</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/live.py" line="281" />
        <source>dB of full scale</source>
        <translation type="unfinished" />
    </message>
    <message>
        <location filename="../views/live.py" line="299" />
        <source>peak {0}</source>
        <translation type="unfinished" />
    </message>
</context></TS>
