(function () {
  "use strict";

  var slides = Array.from(document.querySelectorAll(".slide"));
  var root = document.documentElement;
  var place = document.getElementById("place");
  var clock = document.getElementById("clock");
  var started = null;
  var here = 0;

  // --- where we are ---

  function minutes(slide) {
    return Number(slide.dataset.until);
  }

  function show(number) {
    here = Math.max(0, Math.min(slides.length - 1, number));
    slides.forEach(function (slide, i) {
      slide.classList.toggle("here", i === here);
    });
    place.textContent = (here + 1) + " / " + slides.length;
    if (started === null && here > 0) {
      started = Date.now();
    }
    tick();
    try {
      history.replaceState(null, "", "#" + slides[here].id);
    } catch (error) {
      // A page opened from some places may not: the address stays as it is.
    }
  }

  function go(number) {
    show(number);
    var behavior = "auto";
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches && !overview()) {
      behavior = "smooth";
    }
    moving = Date.now();
    slides[here].scrollIntoView({ behavior: behavior, block: "start" });
  }

  var moving = 0;

  // Who scrolls by hand is followed, but not while the page scrolls by itself.
  function follow() {
    if (overview() || Date.now() - moving < 900) {
      return;
    }
    var nearest = 0;
    slides.forEach(function (slide, i) {
      var far = Math.abs(slide.getBoundingClientRect().top);
      if (far < Math.abs(slides[nearest].getBoundingClientRect().top)) {
        nearest = i;
      }
    });
    if (nearest !== here) {
      show(nearest);
    }
  }

  // --- the clock ---

  function tick() {
    var planned = minutes(slides[here]);
    var gone = started === null ? 0 : (Date.now() - started) / 60000;
    var late = gone > planned + 1;
    clock.textContent = Math.floor(gone) + " min; this slide ends at " + planned;
    clock.classList.toggle("late", late);
  }

  // --- notes, overview, print ---

  function overview() {
    return root.classList.contains("overview");
  }

  function toggle(name) {
    var on = root.classList.toggle(name);
    document.querySelectorAll("[data-do]").forEach(function (button) {
      if (button.dataset.do === name) {
        button.setAttribute("aria-pressed", String(on));
      }
    });
    moving = Date.now();
    slides[here].scrollIntoView({ block: "start" });
  }

  var does = {
    "next": function () { go(here + 1); },
    "back": function () { go(here - 1); },
    "with-notes": function () { toggle("with-notes"); },
    "overview": function () { toggle("overview"); },
    "print": function () { print(); }
  };

  var keys = {
    "ArrowRight": "next", "ArrowDown": "next", "PageDown": "next", " ": "next",
    "ArrowLeft": "back", "ArrowUp": "back", "PageUp": "back", "Backspace": "back",
    "n": "with-notes", "o": "overview", "p": "print"
  };

  // --- what people do ---

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    var onButton = event.target.closest && event.target.closest("button");
    if (onButton && (event.key === " " || event.key === "Enter")) {
      return;
    }
    if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      go(event.key === "Home" ? 0 : slides.length - 1);
    } else if (overview() && (event.key === "Enter" || event.key === "Escape")) {
      toggle("overview");
    } else if (keys[event.key]) {
      event.preventDefault();
      does[keys[event.key]]();
    }
  });

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-do]");
    if (button) {
      does[button.dataset.do]();
      return;
    }
    var slide = event.target.closest(".slide");
    if (overview() && slide) {
      show(slides.indexOf(slide));
      toggle("overview");
    }
  });

  addEventListener("scroll", follow, { passive: true });
  setInterval(tick, 5000);

  document.querySelector(".bar").hidden = false;
  var asked = slides.findIndex(function (slide) {
    return "#" + slide.id === location.hash;
  });
  show(Math.max(0, asked));
}());
