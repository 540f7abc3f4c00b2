import { stripVTControlCharacters } from "node:util";
import { oneLine } from "../text/printable";
import type { StepEvent } from "./engine/events";
import type { Progress } from "./progress";
import { progressLines } from "./progress-lines";
import { kindOf, lasted, styler, wordsOf } from "./progress-text";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MILLISECONDS = 100;
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";

/** The display for a terminal. Finished steps scroll up as lines; running ones are redrawn below with their time. */
export function liveProgress(stream: NodeJS.WriteStream): Progress {
  const style = styler(stream);
  const lines = progressLines(stream);
  const running = new Map<number, StepEvent>();
  let drawn = 0;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;

  const erase = () => (drawn > 0 ? `\x1b[${drawn}A\x1b[0J` : "");
  const block = () => {
    // A line must not wrap: it is counted as one line, so only a part of it would be erased.
    const width = Math.max(20, (stream.columns ?? 80) - 1);
    const rows = Math.max(1, (stream.rows ?? 24) - 2);
    const shown = [...running.values()].slice(0, rows).map((event) => {
      const { sign, doing } = wordsOf(event);
      const text = `${FRAMES[frame % FRAMES.length]} ${sign} ${kindOf(event.type).padEnd(20)} ${oneLine(event.name)}  ${doing}  ${lasted(event)}`;
      return style("dim", text.length > width ? `${text.slice(0, width - 1)}…` : text);
    });
    drawn = shown.length;
    return shown.map((line) => `${line}\n`).join("");
  };
  const draw = (above = "") => stream.write(erase() + (above === "" ? "" : `${above}\n`) + block());

  const showCursor = () => stream.write(SHOW_CURSOR);
  const watch = () => {
    if (running.size > 0 && timer === undefined) {
      stream.write(HIDE_CURSOR);
      process.once("exit", showCursor);
      timer = setInterval(() => {
        frame++;
        draw();
      }, FRAME_MILLISECONDS);
      timer.unref();
    } else if (running.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
      process.off("exit", showCursor);
      showCursor();
    }
  };

  return {
    event(event) {
      if (event.kind === "step" && event.status === "started") {
        running.set(event.step, event);
        draw();
      } else {
        if (event.kind === "step") running.delete(event.step);
        const text = lines.of(event);
        if (text !== undefined) draw(text);
      }
      watch();
    },
    note: (text) => draw(stripVTControlCharacters(text)),
    end() {
      running.clear();
      draw();
      watch();
    },
  };
}
