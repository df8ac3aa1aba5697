/** Predictions: images go out in tasks, answers come back by asking again and again. */

import { Problem, json, patiently, request, retryAfter, sleep } from "./api.js";
import { anyResult, changed, fail, pending, state } from "./state.js";
import { dropOverlays, forget, unreadable } from "./upload.js";
import { loadModels } from "./models.js";
import { say, toast } from "./notices.js";
import { images as counted } from "./words.js";

// What the service takes at a time by default, with room for the form; where it takes less, it says so.
const MOST_FILES = 64;
const MOST_BYTES = 127 * 2 ** 20;
const REFUSED = [413, 415, 422];
const GONE = [404, 410, 500];

/** Predicts what the chosen model has not answered. Whatever fails, the same call goes on from there. */
export async function predict() {
  if (state.run || !state.images.length) return;
  const run = start();
  try {
    await workOff(run);
    finished(run);
  } catch (error) {
    if (!run.control.signal.aborted) fail(error, predict);
    // The list has changed since it was read.
    if (error.status === 400) loadModels();
  } finally {
    state.run = null;
    tidy();
    changed();
  }
}

/** Stops waiting; what was answered stays. */
export function cancel() {
  if (state.run) say("Cancelled.");
  state.run?.control.abort();
  state.open = [];
  tidy();
}

/** Forgets all images, here and in the service. */
export function reset() {
  cancel();
  forget(state.images);
  state.error = null;
  state.threshold = null;
  tidy();
  changed();
}

function start() {
  const waiting = pending();
  const again = waiting.every((image) => image.result);
  const other = anyResult()?.model !== state.model;
  state.images.forEach((image) => {
    image.problem = "";
    if (again || image.result?.model !== state.model) clear(image);
  });
  if (other) state.threshold = null;
  state.open = state.open.filter((task) => task.model === state.model);
  state.error = null;
  state.run = {
    control: new AbortController(),
    model: state.model,
    images: waiting,
    most: MOST_FILES,
    done: 0,
    note: "",
  };
  say(`Predicting ${counted(waiting.length)}.`);
  changed();
  return state.run;
}

function clear(image) {
  dropOverlays(image);
  image.result = null;
}

async function workOff(run) {
  // Tasks that were sent before an answer was lost are not sent again.
  while (state.open.length) await collect(run, state.open[0]);
  for (let images = nextImages(run); images.length; images = nextImages(run)) {
    try {
      note(run, `Sending ${counted(images.length)}`);
      const uuid = await submit(run, images);
      state.open.push({ uuid, model: run.model, images });
    } catch (error) {
      await refused(run, images, error);
      continue;
    }
    await collect(run, state.open[0]);
  }
}

/** What is sent next; images that are loaded meanwhile wait for the next time. */
function nextImages({ images, most }) {
  let room = MOST_BYTES;
  return images
    .filter((image) => state.images.includes(image) && !image.result && !image.problem)
    .slice(0, most)
    .filter(({ file }, index) => (room -= file.size) >= 0 || index === 0);
}

async function submit(run, images) {
  const one = images.length === 1;
  const { signal } = run.control;
  const path = `${one ? "predict" : "predict_bulk"}?model_id=${encodeURIComponent(run.model)}`;
  const body = new FormData();
  images.forEach((image) => body.append(one ? "file" : "files", image.file, sentName(image)));
  const post = async () => {
    // One image is waited for after a cancel, too: only the answer says which task is to be deleted.
    const { said } = await json(path, { method: "POST", body, signal: one ? undefined : signal });
    made.add(said.task_uuid);
    if (signal.aborted) tidy();
    return said.task_uuid;
  };
  return wait(run, [429, 503], () => Promise.race([post(), aborted(signal)]));
}

const aborted = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

// Names of files may name patients: they stay here.
const sentName = ({ id }) => `image-${id}`;

function wait(run, states, ask) {
  const onWait = (text, seconds) => {
    note(run, `${text} Trying again in ${Math.ceil(seconds)} s`);
    say(`${text} Trying again.`);
  };
  return patiently(ask, { signal: run.control.signal, states, onWait });
}

/** Marks the image that the service refuses, or sends fewer at a time; throws again where neither helps. */
async function refused(run, images, error) {
  const gone = error.status === 0 && !run.control.signal.aborted ? await unreadable(images) : [];
  gone.forEach((image) => (image.problem = "The file has changed or moved since it was loaded. Load it again."));
  if (gone.length) return changed();
  const named = images.length === 1 ? images[0] : images.find((image) => sentName(image) === error.file);
  if (REFUSED.includes(error.status) && named) named.problem = error.message;
  else if (error.status === 413) run.most = Math.ceil(images.length / 2);
  else throw error;
  return changed();
}

async function collect(run, task) {
  const before = run.done;
  try {
    const answers = await answersOf(run, task, (done) => progress(run, before + done));
    keep(task, answers);
  } catch (error) {
    if (GONE.includes(error.status)) close(task);
    throw error;
  }
  close(task);
  progress(run, before + task.images.length);
}

async function answersOf(run, { uuid }, onProgress) {
  const { signal } = run.control;
  for (let pause = 0.3; ; pause = Math.min(1.5 * pause, 5)) {
    const get = () => json(`from_task/${uuid}`, { signal });
    const { response, said } = await wait(run, [0, 429, 502, 503, 504], get);
    if (response.status === 200) return said;
    note(run, said.state === "queued" ? "Waiting for a free worker" : "Predicting");
    onProgress(said.done ?? 0);
    await sleep(Math.max(pause, retryAfter(response) ?? 0), signal);
  }
}

function keep(task, answers) {
  if (answers?.length !== task.images.length) {
    close(task);
    throw new Problem(`The service answered ${counted(answers?.length ?? 0)} of ${task.images.length}.`);
  }
  answers.forEach((answer, index) => {
    task.images[index].result = { ...answer, uuid: task.uuid, index, model: task.model };
  });
  state.threshold ??= answers[0].prediction.threshold ?? null;
}

function close(task) {
  state.open = state.open.filter((other) => other !== task);
}

function progress(run, done) {
  run.done = done;
  changed();
}

function note(run, text) {
  run.note = text;
  changed();
}

function finished() {
  const problems = state.images.filter((image) => image.problem).length;
  const answered = state.images.filter((image) => image.result).length;
  toast(`${counted(answered)} predicted${problems ? `, ${counted(problems)} refused` : ""}.`);
}

// Tasks that the service keeps for this page.
const made = new Set();

/** Deletes the tasks that no image needs any more; the service does so itself later. */
export function tidy(keepalive = false) {
  const answers = state.images.map((image) => image.result);
  const needed = new Set([...answers, ...state.open].map((task) => task?.uuid));
  [...made].filter((uuid) => !needed.has(uuid)).forEach((uuid) => {
    made.delete(uuid);
    request(`from_task/${uuid}`, { method: "DELETE", keepalive }).catch(() => {});
  });
}

/** Deletes all tasks when the page goes. */
export function leave() {
  state.images = [];
  state.open = [];
  tidy(true);
}
