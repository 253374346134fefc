// The page /camera: sends the camera of this browser to the gateway and shows its readings.

import { Emotii } from "../emotii.js";
import { BoundingBoxes } from "../faces/bounding-boxes.js";
import { byId, createElement, setText } from "../shared/dom.js";
import { hue } from "../shared/palette.js";
import { showSession } from "../shared/session.js";
import { FrameSender } from "./frame-sender.js";
import { openWebcam, webcamError, webcamProblem } from "./webcam.js";

const NOT_FOR_VIEWERS = "Your token is a viewer's. A camera needs an operator's token.";
const DEFAULT_NAME = "browser";
const UNCERTAIN = "uncertain";
const FACE_EXPIRY_MS = 1500; // a face disappears after this time without a reading
const UPDATE_INTERVAL_MS = 250;
const CAPTURE_TIMEOUT_MS = 4000;

const boxes = new BoundingBoxes(byId("boxes"));
const video = byId("video");
const faces = new Map(); // by track: the newest reading and when it was received
let capture = null; // while the camera is on: stream, sender, emotii and counts

function setState(state, text) {
  byId("state").dataset.state = state;
  setText(byId("state"), text);
}

async function start() {
  const name = byId("name").value;
  setText(byId("problem"), webcamProblem());
  if (webcamProblem()) return;
  byId("start").disabled = true;
  setState("reconnecting", "requesting the camera");
  try {
    const stream = await openWebcam(video, byId("device"));
    capture = {
      name, stream, sender: new FrameSender(video, name), emotii: subscribe(name),
      status: null, lostReason: "", frameSize: null, sentTimes: [], readingTimes: [], startedAt: Date.now(),
    };
    stream.getVideoTracks()[0].addEventListener("ended", () => stop("The camera was disconnected."));
    observeSender(capture.sender);
    history.replaceState(null, "", `?name=${encodeURIComponent(name)}`);
    byId("name").disabled = true;
    byId("screen").style.aspectRatio = `${video.videoWidth} / ${video.videoHeight}`;
    setText(byId("video-message"), "");
    setState("reconnecting", "connecting");
    setText(byId("start"), "Stop the camera");
  } catch (error) {
    stop(webcamError(error));
  }
  byId("start").disabled = false;
}

function observeSender(sender) {
  sender.addEventListener("open", () => { capture.lostReason = ""; });
  sender.addEventListener("sent", ({ detail }) => { capture.frameSize = detail; capture.sentTimes.push(Date.now()); });
  sender.addEventListener("lost", ({ detail }) => { capture.lostReason = detail; });
  sender.addEventListener("refused", ({ detail }) => stop(detail.message));
}

function subscribe(name) {
  const emotii = new Emotii("/ws/emotions", { sources: [name], kinds: ["reading", "state"] });
  emotii.addEventListener("reading", ({ detail }) => {
    if (!capture || detail.source !== name) return;
    capture.readingTimes.push(Date.now());
    if (detail.emotion) faces.set(detail.track, { ...detail, receivedAt: Date.now() });
    if (detail.age_ms !== null) setText(byId("latency"), `${detail.age_ms} ms`);
  });
  const setStatus = (status) => { if (capture && status?.source === name) capture.status = status; };
  emotii.addEventListener("hello", ({ detail }) => setStatus(detail.sources.find((status) => status.source === name)));
  emotii.addEventListener("state", ({ detail }) => setStatus(detail));
  emotii.addEventListener("gone", ({ detail }) => { if (capture && detail.source === name) capture.status = null; });
  return emotii;
}

function stop(problem = "") {
  capture?.sender.close();
  capture?.emotii.close();
  const stream = capture?.stream ?? video.srcObject;
  for (const track of stream?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  capture = null;
  faces.clear();
  showFaces();
  byId("name").disabled = false;
  setText(byId("problem"), problem);
  setText(byId("video-message"), "The camera is off");
  setText(byId("start"), "Start the camera");
  setState("off", "off");
}

function update() {
  if (!capture) return;
  for (const [track, face] of faces) if (Date.now() - face.receivedAt > FACE_EXPIRY_MS) faces.delete(track);
  for (const times of [capture.sentTimes, capture.readingTimes]) while (times[0] < Date.now() - 1000) times.shift();
  setText(byId("sent"), `${capture.sentTimes.length} frames/s`);
  setText(byId("readings"), `${capture.readingTimes.length} /s`);
  showState(capture);
  showFaces();
}

function showState({ name, lostReason, status, startedAt }) {
  if (lostReason) setState("reconnecting", `reconnecting: ${lostReason}`);
  else if (status?.state === "ONLINE") setState("connected", `${name} is online`);
  else if (status) setState("reconnecting", `${name} is ${status.state.toLowerCase()}: ${status.reason}`);
  else if (Date.now() - startedAt > CAPTURE_TIMEOUT_MS) setState("reconnecting", "waiting for the capture service");
}

function showFaces() {
  const sorted = [...faces.values()].sort((a, b) => a.track - b.track);
  boxes.show(capture?.frameSize ? { ...capture.frameSize, faces: sorted } : null);
  byId("screen").toggleAttribute("data-stale", !capture);
  byId("faces").replaceChildren(...sorted.map(createCard));
  byId("no-faces").hidden = sorted.length > 0;
  byId("no-faces").textContent = !capture ? "The camera is off" : capture.status?.state === "ONLINE" ? "No face in view" : "No live video";
}

function createCard(face) {
  const isCertain = face.emotion !== UNCERTAIN;
  return createElement("li", { class: isCertain ? `face hue-${hue(face.emotion)}` : "face" },
    createElement("p", { class: "face-head" },
      createElement("span", { class: "face-emotion", text: face.emotion }),
      createElement("span", { class: "face-confidence", text: `${face.confidence.toFixed(0)}%` }),
      createElement("span", { class: "face-track", text: `face ${face.track}` })),
    isCertain ? null : createElement("p", { class: "face-between", text: face.between.join(" or ") }),
    face.flaws.length ? createElement("p", { class: "face-flaws", text: face.flaws.join(", ") }) : null);
}

byId("name").value = new URLSearchParams(location.search).get("name") ?? DEFAULT_NAME;
byId("form").addEventListener("submit", (event) => { event.preventDefault(); if (capture) stop(); else start(); });
byId("device").addEventListener("change", () => { if (capture) { stop(); start(); } });
window.addEventListener("pagehide", () => stop());
setInterval(update, UPDATE_INTERVAL_MS);
setText(byId("problem"), webcamProblem());
byId("start").disabled = webcamProblem() !== "";
showSession().then(() => {
  if (document.body.dataset.role === "viewer") setText(byId("problem"), NOT_FOR_VIEWERS);
});
