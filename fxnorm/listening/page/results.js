// What a participant did, as JSON and as CSV, and handing it in.

const RETRY_S = [0, 1, 3, 10, 30];
const TIMEOUT_MS = 20000;

function makeResults(test, state, plan) {
  const ratings = plan.pages.flatMap((page, number) =>
    page.stimuli.map((stimulus, place) => ({
      page: page.song.id,
      stimulus,
      criterion: page.criterion.id,
      trial: page.trial,
      rating: state.pages[number].values[place],
      seconds: state.pages[number].heard[place],
      comment: state.pages[number].comments[place],
      place: place + 1,
    })),
  );
  return {
    test_id: test.testId,
    participant: state.participant,
    session: state.session,
    started: state.started,
    finished: state.finished,
    volume: state.volume,
    questionnaire: state.answers,
    order: plan.pages.map(({ song, criterion, trial, stimuli, starts }) => ({
      page: song.id,
      criterion: criterion.id,
      trial,
      stimuli,
      starts,
    })),
    ratings,
  };
}

function makeCsv(results) {
  const { participant, session, test_id, questionnaire } = results;
  const rows = results.ratings.map((rating) => ({
    participant,
    session,
    test_id,
    ...rating,
    ...questionnaire,
  }));
  const lines = [Object.keys(rows[0]), ...rows.map((row) => Object.values(row))];
  return lines.map((cells) => cells.map(quoted).join(",")).join("\r\n") + "\r\n";
}

/** A cell; what a spreadsheet program would compute gets an apostrophe, as in `tabulation.py`. */
function quoted(value) {
  const formula = /^'*(?:[=@\t\r\n\uff1d\uff20\uff0b\uff0d]|[+-](?![\d.])|[+-].*[|!(])/s;
  const text = String(value).replace(formula, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

function fileName(results) {
  const name = results.participant.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40);
  return `${results.test_id}_${name}_${results.session.slice(0, 8)}`;
}

/**
 * Send results to an address, again and again if that fails.
 *
 * As plain text, which any server takes from any page: JSON proper would have browsers ask the
 * server for leave beforehand.
 */
async function send(address, results, told) {
  for (const seconds of RETRY_S) {
    if (seconds) told(`Sending failed; trying again in ${seconds} s.`);
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    told("Sending your ratings.");
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "text/plain;charset=UTF-8" },
        body: JSON.stringify(results),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        credentials: "omit",
      });
      if (response.ok) return true;
    } catch {
      // No connection, or no answer in time: the next attempt may find one.
    }
  }
  return false;
}
