// What a participant rates, in which order, and where the markers stand at first.

/**
 * Pages of { song, criterion, trial, stimuli, starts }: criteria one after another, songs and mixes
 * shuffled. Pages that are met a second time end the block of their criterion.
 */
function makePlan(test, participant) {
  const songs = chooseSongs(test, participant);
  const criteria = shuffled(test.criteria, generator(test.seed, participant, "criteria"));
  const first = criteria.flatMap((criterion) => {
    const order = shuffled(songs, generator(test.seed, participant, "songs", criterion.id));
    return order.map((song) => makePage(test, participant, song, criterion, 1));
  });
  const again = repeated(test, participant, first, songs.length);
  const pages = criteria.flatMap((criterion) => [
    ...first.filter((page) => page.criterion === criterion),
    ...again
      .filter((page) => page.criterion === criterion)
      .map((page) => makePage(test, participant, page.song, criterion, 2)),
  ]);
  const training = test.training
    ? { ...makePage(test, participant, pages[0].song, pages[0].criterion, 0), training: true }
    : null;
  return { pages, training };
}

/**
 * All songs, or a stretch of a fixed round of them: participants whose names end in consecutive
 * numbers take consecutive stretches, so that all songs come equally often.
 */
function chooseSongs(test, participant) {
  const count = test.songsPerParticipant ?? test.songs.length;
  const round = shuffled(test.songs, generator(test.seed, "round of songs"));
  const number = /(\d{1,9})\D*$/.exec(participant);
  const place = number ? Number(number[1]) : hash(`${test.seed}\0${participant}`);
  return Array.from({ length: count }, (_, step) => round[(place * count + step) % round.length]);
}

/** The pages that are met twice; not the last of a criterion, which would be met twice in a row. */
function repeated(test, participant, pages, songs) {
  const eligible = pages.filter((_, place) => songs === 1 || (place + 1) % songs !== 0);
  const order = shuffled(eligible, generator(test.seed, participant, "repeated"));
  return order.slice(0, test.repeatedPages);
}

function makePage(test, participant, song, criterion, trial) {
  const purpose = [test.seed, participant, song.id, criterion.id, trial];
  const stimuli = shuffled(song.stimuli, generator(...purpose, "mixes"));
  const random = generator(...purpose, "starts");
  return { song, criterion, trial, stimuli, starts: stimuli.map(() => round3(random())) };
}

function round3(value) {
  return Math.round(value * 1000) / 1000;
}
