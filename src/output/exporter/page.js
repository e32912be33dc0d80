"use strict";
const targets = document.getElementById("targets");
const feed = document.getElementById("feed");
const source = new EventSource("events");

function say(text, tone) {
  feed.textContent = text;
  feed.className = tone;
}

// What did not change stays, so that a selection or the focus in it stays, too.
source.addEventListener("targets", (event) => {
  say("live", "good");
  const template = document.createElement("template");
  template.innerHTML = event.data;
  const before = Array.from(targets.children);
  const fresh = Array.from(template.content.children);
  if (before.length !== fresh.length || before.some((one, index) => one.id !== fresh[index].id)) {
    targets.replaceChildren(...fresh);
    return;
  }
  before.forEach((one, index) => {
    if (!one.isEqualNode(fresh[index])) one.replaceWith(fresh[index]);
  });
});

source.addEventListener("error", () => {
  const isOver = source.readyState === EventSource.CLOSED;
  say(isOver ? "not live: reload the page" : "not live: the exporter does not answer", "bad");
});
