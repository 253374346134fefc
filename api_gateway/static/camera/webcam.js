// The camera of this browser: access, selection and error messages.

import { byId, setOptions } from "../shared/dom.js";

const NEEDS_HTTPS = "Browsers allow camera access only on localhost or over HTTPS. "
  + `Open http://localhost:${location.port || 80}/camera on the machine that runs Emotii, or put an HTTPS proxy in front of it.`;

const MESSAGES = {
  NotAllowedError: "This page may not use the camera. Allow it in the browser, with the icon next to the address, then "
    + "start the camera again.",
  NotFoundError: "No camera is connected to this device.",
  NotReadableError: "The browser cannot read the camera. Another program may be using it.",
  OverconstrainedError: "The selected camera is no longer connected.",
};

/** Why this browser offers no camera; empty if it does. */
export function webcamProblem() {
  if (!window.isSecureContext) return NEEDS_HTTPS;
  return navigator.mediaDevices?.getUserMedia ? "" : "This browser does not support camera access.";
}

/** Open the selected camera, play it in the video element, and offer the other cameras. @returns {Promise<MediaStream>} */
export async function openWebcam(video, select) {
  const deviceId = select.value;
  const constraints = { width: { ideal: 640 }, height: { ideal: 480 }, ...(deviceId ? { deviceId: { exact: deviceId } } : {}) };
  const stream = await navigator.mediaDevices.getUserMedia({ video: constraints, audio: false });
  video.srcObject = stream;
  await video.play();
  const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
  const current = stream.getVideoTracks()[0].getSettings().deviceId;
  setOptions(select, cameras.map((camera) => camera.deviceId), { selected: current });
  [...select.options].forEach((option, index) => {
    option.text = cameras[index].label || `camera ${index + 1}`;
  });
  byId("device-choice").hidden = cameras.length < 2;
  return stream;
}

/** The message for an error of `openWebcam`. */
export function webcamError(error) {
  return MESSAGES[error.name] ?? `The camera cannot start: ${error.message}`;
}
