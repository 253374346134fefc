// The page of a browser's camera: asks for it, sends it, and shows what is read of it.

import { Boxes } from "../faces/bounding-boxes.js";
import { element, make, offer, write } from "../shared/dom.js";
import { Emotii } from "../emotii.js";
import { hue } from "../shared/palette.js";
import { Sender } from "./frame-sender.js";

const DEFAULT_NAME = "browser";
const UNCERTAIN = "uncertain";
const SEEN_MS = 1500; // how long a face stays without a reading
const TURN_MS = 250;
const WAIT_MS = 4000;

const WORDS = {
  NotAllowedError: "This page may not use the camera. Allow it in the browser, by the sign beside the address, then "
    + "start again.",
  NotFoundError: "No camera is connected to this device.",
  NotReadableError: "The camera cannot be read: another program may be using it.",
  OverconstrainedError: "The chosen camera is not there any more.",
};
const NEEDS_HTTPS = "Browsers give a camera only to pages of this same computer or to pages over HTTPS. Open this page as "
  + `http://localhost:${location.port || 80}/camera on the machine where Emotii runs, or put HTTPS in front of it.`;

const boxes = new Boxes(element("boxes"));
const video = element("video");
const faces = new Map(); // track -> the newest reading and when it came
let running = null; // while the camera is on: stream, sender, emotii and counts

function problem() {
  if (!window.isSecureContext) return NEEDS_HTTPS;
  return navigator.mediaDevices?.getUserMedia ? "" : "This browser lends its camera to no page.";
}

function say(state, words) {
  element("state").dataset.state = state;
  write(element("state"), words);
}

async function openCamera() {
  const chosen = element("device").value;
  const wanted = { width: { ideal: 640 }, height: { ideal: 480 }, ...(chosen ? { deviceId: { exact: chosen } } : {}) };
  const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  video.srcObject = stream;
  await video.play();
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  const current = stream.getVideoTracks()[0].getSettings().deviceId;
  offer(element("device"), cameras.map((camera) => camera.deviceId), { chosen: current });
  [...element("device").options].forEach((option, index) => {
    option.text = cameras[index].label || `camera ${index + 1}`;
  });
  element("device-choice").hidden = cameras.length < 2;
  return stream;
}

async function start() {
  const name = element("name").value;
  write(element("problem"), problem());
  if (problem()) return;
  element("start").disabled = true;
  say("reconnecting", "asking for the camera");
  try {
    const stream = await openCamera();
    running = {
      name, stream, sender: new Sender(video, name), emotii: listen(name),
      state: null, lost: "", size: null, sent: [], read: [], began: Date.now(),
    };
    stream.getVideoTracks()[0].addEventListener("ended", () => stop("The camera was unplugged or taken away."));
    follow(running.sender);
    history.replaceState(null, "", `?name=${encodeURIComponent(name)}`);
    element("name").disabled = true;
    element("screen").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
    write(element("veil"), "");
    say("reconnecting", "connecting");
    write(element("start"), "Stop the camera");
  } catch (error) {
    stop(WORDS[error.name] ?? `The camera does not start: ${error.message}`);
  }
  element("start").disabled = false;
}

function follow(sender) {
  sender.addEventListener("open", () => { running.lost = ""; });
  sender.addEventListener("sent", ({ detail }) => { running.size = detail; running.sent.push(Date.now()); });
  sender.addEventListener("lost", ({ detail }) => { running.lost = detail; });
  sender.addEventListener("refused", ({ detail }) => stop(detail.message));
}

function listen(name) {
  const emotii = new Emotii("/ws/emotions", { sources: [name], kinds: ["reading", "state"] });
  emotii.addEventListener("reading", ({ detail }) => {
    if (!running || detail.source !== name) return;
    running.read.push(Date.now());
    if (detail.emotion) faces.set(detail.track, { ...detail, came: Date.now() });
    if (detail.age_ms !== null) write(element("age"), `${detail.age_ms} ms`);
  });
  const told = (state) => { if (running && state?.source === name) running.state = state; };
  emotii.addEventListener("hello", ({ detail }) => told(detail.sources.find((state) => state.source === name)));
  emotii.addEventListener("state", ({ detail }) => told(detail));
  emotii.addEventListener("gone", ({ detail }) => { if (running && detail.source === name) running.state = null; });
  return emotii;
}

function stop(words = "") {
  running?.sender.close();
  running?.emotii.close();
  const stream = running?.stream ?? video.srcObject;
  for (const track of stream?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  running = null;
  faces.clear();
  show();
  element("name").disabled = false;
  write(element("problem"), words);
  write(element("veil"), "The camera is off");
  write(element("start"), "Start the camera");
  say("stale", "off");
}

function turn() {
  if (!running) return;
  for (const [track, face] of faces) if (Date.now() - face.came > SEEN_MS) faces.delete(track);
  for (const times of [running.sent, running.read]) while (times[0] < Date.now() - 1000) times.shift();
  write(element("sent"), `${running.sent.length} pictures/s`);
  write(element("read"), `${running.read.length} readings/s`);
  tellState(running);
  show();
}

function tellState({ name, lost, state, began }) {
  if (lost) say("reconnecting", `trying again: ${lost}`);
  else if (state?.state === "ONLINE") say("connected", `${name} is online`);
  else if (state) say("reconnecting", `${name} is ${state.state.toLowerCase()}: ${state.reason}`);
  else if (Date.now() - began > WAIT_MS) say("reconnecting", "waits for the capture service");
}

function show() {
  const seen = [...faces.values()].sort((one, other) => one.track - other.track);
  boxes.show(running?.size ? { ...running.size, faces: seen } : null);
  element("screen").toggleAttribute("data-stale", !running);
  element("faces").replaceChildren(...seen.map(card));
  element("no-faces").hidden = seen.length > 0;
}

function card(face) {
  const certain = face.emotion !== UNCERTAIN;
  return make("li", { class: certain ? `face hue-${hue(face.emotion)}` : "face" },
    make("p", { class: "face-head" },
      make("span", { class: "face-emotion", text: face.emotion }),
      make("span", { class: "face-confidence", text: `${face.confidence.toFixed(0)}%` }),
      make("span", { class: "face-track", text: `face ${face.track}` })),
    certain ? null : make("p", { class: "face-between", text: face.between.join(" or ") }),
    face.flaws.length ? make("p", { class: "face-flaws", text: face.flaws.join(", ") }) : null);
}

element("name").value = new URLSearchParams(location.search).get("name") ?? DEFAULT_NAME;
element("form").addEventListener("submit", (event) => { event.preventDefault(); if (running) stop(); else start(); });
element("device").addEventListener("change", () => { if (running) { stop(); start(); } });
window.addEventListener("pagehide", () => stop());
setInterval(turn, TURN_MS);
write(element("problem"), problem());
element("start").disabled = problem() !== "";
