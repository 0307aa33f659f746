"use strict";
// The players work without this script. With it one sounds at a time, a system takes over where the other was, keys switch, one volume rules.
(function () {
  var cards = Array.prototype.slice.call(document.querySelectorAll(".card"));
  var volume = document.getElementById("volume"), same = document.getElementById("same"), last = null;
  function sound(card) { return card.querySelector("audio"); }
  function shown(card) { return !card.closest("section").hidden; }
  function mates(card) { return Array.prototype.slice.call(card.closest("section").querySelectorAll(".card")); }
  function begin(card, position) {
    var audio = sound(card);
    function go() { audio.currentTime = Math.min(position, audio.duration || position); audio.play(); }
    if (audio.readyState >= 1) { go(); } else { audio.addEventListener("loadedmetadata", go, { once: true }); audio.load(); }
  }
  function choose(card) {
    var audio = sound(card);
    if (!audio.paused) { audio.pause(); return; }
    var from = last && last !== card && last.closest("section") === card.closest("section") && same.checked ? sound(last) : audio;
    begin(card, from.ended ? 0 : from.currentTime);
  }
  cards.forEach(function (card) {
    var audio = sound(card), picture = card.querySelector(".picture");
    audio.volume = volume.value / 100;
    audio.addEventListener("play", function () {
      cards.forEach(function (other) { if (other !== card) { sound(other).pause(); } other.classList.toggle("on", other === card); });
      last = card;
    });
    audio.addEventListener("error", function () { card.querySelector("p").hidden = false; }, true);
    audio.addEventListener("timeupdate", function () {
      if (picture && audio.duration) { picture.querySelector("i").style.left = 100 * audio.currentTime / audio.duration + "%"; }
    });
    if (picture) { picture.addEventListener("click", function () { choose(card); }); }
  });
  volume.addEventListener("input", function () { cards.forEach(function (card) { sound(card).volume = volume.value / 100; }); });
  document.querySelectorAll("input[name=source]").forEach(function (radio) {
    radio.addEventListener("change", function () {
      document.querySelectorAll("section").forEach(function (section) {
        section.hidden = radio.value !== "" && section.dataset.source !== radio.value;
        if (section.hidden) { section.querySelectorAll("audio").forEach(function (audio) { audio.pause(); }); }
      });
      if (last && !shown(last)) { last = null; }
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "radio") { return; }
    var visible = cards.filter(shown), here = event.target.closest && event.target.closest(".card") || last || visible[0];
    if (!here) { return; }
    var group = mates(here), number = parseInt(event.key, 10);
    if (number >= 1 && number <= group.length) { choose(group[number - 1]); event.preventDefault(); }
    if (event.key === "n" || event.key === "p") {
      var sections = Array.prototype.filter.call(document.querySelectorAll("section"), function (section) { return !section.hidden; });
      var next = sections[sections.indexOf(here.closest("section")) + (event.key === "n" ? 1 : -1)];
      if (next) {
        if (last) { sound(last).pause(); }
        last = next.querySelector(".card");
        next.scrollIntoView({ block: "center" });
        (last.querySelector(".picture") || sound(last)).focus({ preventScroll: true });
      }
    }
  });
})();
