/**
 * The page of `amae serve`, used as a person would, in a real Chromium against a running server.
 *
 *   node page_test.mjs BASE_URL SOUND_FILE EXPECTED_LABEL [--iq FILE] [--screenshots DIR] [--chromium PATH]
 *
 * SOUND_FILE is a clip that the served model reads (IQ for a radio model), EXPECTED_LABEL its first answer ("" for an
 * encoder). --iq FILE also sends a radio recording (.sigmf-meta takes the .sigmf-data beside it along). What the server
 * does not offer (index, runs, attention, ...) is skipped, and said so. One line a check; exit 1 when one failed.
 */

import {basename} from 'node:path';
import {chromium} from 'playwright-core';
import {createRequire} from 'node:module';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {availableParallelism, loadavg} from 'node:os';

const [base, sound, expected] = process.argv.slice(2);
const option = (name) => process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : null;
if (expected === undefined) {
  console.error('usage: node page_test.mjs BASE_URL SOUND_FILE EXPECTED_LABEL [--iq FILE] [--screenshots DIR] [--chromium PATH]');
  process.exit(2);
}
const BASE = new URL(base).href;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = option('screenshots');
if (shots) mkdirSync(shots, {recursive: true});
const executablePath = option('chromium') ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);

const soon = () => 10000 * Math.max(1, loadavg()[0] / availableParallelism());  // ten seconds, on a machine with nothing else to do

// -- checks -------------------------------------------------------------------------------------------------------------
let passed = 0;
let failed = 0;
let skipped = 0;
async function check(claim, evidence) {
  try {
    await evidence();
    ++passed;
    console.log(`ok    ${claim}`);
  } catch (error) {
    ++failed;
    console.log(`FAIL  ${claim}: ${String(error.message).split('\n').slice(0, 4).join(' | ')}`);
    if (shots) await page.screenshot({path: `${shots}/fail-${failed}.png`}).catch(() => {});
  }
}
function skip(claim, why) {
  ++skipped;
  console.log(`skip  ${claim}: ${why}`);
}
function must(truth, text) { if (!truth) throw new Error(text); }
function same(found, wanted, what) { must(found === wanted, `${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`); }

// -- the browser --------------------------------------------------------------------------------------------------------
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
});
const faults = [];     // console errors, exceptions, policy violations
const strangers = [];  // requests that leave the server
let tolerant = false;  // while a request is meant to fail, Chromium's own log line of it is no fault

async function newPage(options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, colorScheme: 'light', reducedMotion: 'no-preference', ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.on('console', (message) => {
    if (message.type() !== 'error' || (tolerant && message.text().startsWith('Failed to load resource'))) return;
    faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('dialog', (dialog) => { faults.push(`a dialog opened: ${dialog.message()}`); dialog.dismiss(); });
  page.on('filechooser', () => {});  // keeps choosers caught: catching one only when it opens comes too late at times
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(BASE) && !url.startsWith('blob:') && !url.startsWith('data:')) strangers.push(url);
  });
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`)));
  return page;
}

const model = await (await fetch(new URL('v1/model', BASE))).json();
const iq = model.input.domain === 'iq';
const gives = (name) => model.returns.includes(name);
let page = await newPage();
/** The same question as the page's, asked from here: what its pictures must agree with. */
const answer = await (await fetch(new URL(`v1/predict?top_k=10&return=${model.returns.join(',')}`, BASE), {
  method: 'POST', body: readFileSync(sound), headers: {'Content-Type': 'application/octet-stream'},
})).json();

const text = (selector) => page.locator(selector).first().innerText();
const visible = (selector) => page.locator(selector).first().isVisible();
const shot = async (name) => { if (shots) await page.screenshot({path: `${shots}/${name}.png`, fullPage: true}).catch(() => {}); };
/** How many different colours a canvas holds. */
const colours = (selector) => page.locator(selector).first().evaluate((canvas) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
});
const drawn = async (selector, least = 12) => {
  await page.waitForFunction(([at, n]) => {
    const canvas = document.querySelector(at);
    if (!canvas || canvas.width === 0) return false;
    return new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size >= n;
  }, [selector, least]).catch(() => {});
  const found = await colours(selector);
  must(found >= least, `${selector} holds ${found} colours, fewer than ${least}`);
};
const upload = async (files) => {
  await page.setInputFiles('#file', files);
  await page.waitForFunction(() => document.getElementById('progress').hidden
    && (!document.getElementById('result').hidden || !document.getElementById('error').hidden));
};
const good = async () => {
  await upload(sound);
  must(await visible('#result'), `no result, but: ${await page.locator('#error').innerText()}`);
  if (expected !== '') same(await text('#top .label'), expected, 'the first label');
};
const box = async (selector) => {
  await page.locator(selector).first().scrollIntoViewIfNeeded();
  return page.locator(selector).first().boundingBox();
};

// -- first sight --------------------------------------------------------------------------------------------------------
await check('the first view says what to do, and offers a button for it', async () => {
  await page.goto(BASE);
  await page.waitForFunction(() => document.getElementById('model-line').textContent !== '');
  must(await visible('#choose'), 'the choose button is not visible');
  must(/drop/i.test(await text('#welcome-title')), 'the title does not say to drop');
  must((await page.title()).includes(model.name), 'the title does not name the model');
  await shot('welcome');
});
if (model.index) {
  await check('an index offers clips to try, and one click gives a prediction within ten seconds', async () => {
    const since = Date.now();
    await page.locator('#suggested button', {hasText: 'Try'}).first().click();
    await page.waitForSelector('#result:not([hidden])');
    must(Date.now() - since < soon(), 'it took longer');
    await page.reload();
  });
} else skip('clips to try', 'no index');

// -- a file -------------------------------------------------------------------------------------------------------------
await check(`the sound is sent by the file input and the first label is ${expected || '(none)'}`, async () => {
  const since = Date.now();
  await good();
  must(Date.now() - since < soon(), 'it took more than ten seconds');
  same(await text('#clip-name'), basename(sound), 'the name shown');
});
if (model.classes.length > 0) {
  await check('the labels are a table with a row header and a score in percent each', async () => {
    const rows = await page.locator('#top tr').evaluateAll((all) => all.map((row) => [row.querySelector('th[scope=row]') !== null, row.querySelector('td').textContent]));
    same(rows.length, answer.top.length, 'the number of rows');
    must(rows.every(([head, score]) => head && /%$/.test(score)), `rows: ${JSON.stringify(rows)}`);
    must((await text('#live') || await page.locator('#live').textContent()).includes(answer.top[0].label), 'nothing is announced');
  });
} else skip('the table of labels', 'an encoder');
await check('the small print names the model and splits the time', async () => {
  must((await text('#answered')).includes(model.id), 'no id');
  for (const part of ['decode', 'front end', 'queue', 'model']) must((await text('#timing')).includes(part), `no ${part}`);
});
await check('waveform and spectrogram are drawn', async () => {
  if (gives('waveform')) await drawn('#waveform canvas', 4);
  if (gives('spectrogram') && answer.spectrogram.kind !== 'waveform') await drawn('#spectrogram canvas', 40);
  else if (gives('spectrogram')) await drawn('#model-samples canvas', 4);
});
const hasPicture = await visible('#spectrogram');
if (hasPicture) {
  await check('hovering the spectrogram reads out time, frequency and value', async () => {
    const at = await box('#spectrogram');
    await page.mouse.move(at.x + at.width * 0.6, at.y + at.height * 0.4);
    must((await page.locator('#seen-readout').textContent()).split('·').length === 3, `it says "${await text('#seen-readout')}"`);
  });
  await check('another colour map and contrast repaint it', async () => {
    const print = () => page.locator('#spectrogram canvas').evaluate((canvas) => canvas.toDataURL());
    const first = await print();
    await page.selectOption('#colour-map', 'viridis');
    await page.waitForTimeout(200);
    const second = await print();
    await page.locator('#contrast').fill('15');
    await page.waitForTimeout(200);
    must(first !== second && second !== await print(), 'the picture stayed as it was');
  });
}
if (!iq) {
  await check('it plays, and the cursor runs over waveform and spectrogram', async () => {
    const time = () => page.locator('#audio').evaluate((audio) => audio.currentTime);
    const cursor = () => page.locator('#waveform .cursor').evaluate((node) => node.style.transform);
    await page.click('#play');
    await page.waitForFunction(() => document.getElementById('audio').currentTime > 0.1);
    const [t, x] = [await time(), await cursor()];
    await page.waitForTimeout(300);
    must(await time() > t, 'the time stands still');
    must(await cursor() !== x, 'the cursor stands still');
    await page.keyboard.press('Space');  // the button has the focus
    await page.waitForFunction(() => document.getElementById('audio').paused);
  });
  await check('a click on the plot and the arrow keys seek', async () => {
    const at = await box('#waveform');
    await page.mouse.click(at.x + at.width * 0.75, at.y + at.height / 2);
    const share = await page.locator('#audio').evaluate((audio) => audio.currentTime / audio.duration);
    must(share > 0.4, `the click landed at ${share}`);
    await page.locator('.seen [data-player-keys]').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('Shift+ArrowRight');
    const time = await page.locator('#audio').evaluate((audio) => audio.currentTime);
    must(time > 0.09, `the time is ${time}`);
  });
} else skip('playing', 'radio signals');

// -- views of the clip --------------------------------------------------------------------------------------------------
if (gives('features')) {
  await check('every layer shows all its channels, drawn', async () => {
    await page.click('#view-features');
    for (const [i, layer] of answer.features.entries()) {
      await page.locator('#feature-layers label').nth(i).click();
      same(await page.locator('#feature-grid [role=radio]').count(), layer.shape[0], `the number of channels of ${layer.name}`);
    }
    await page.locator('#feature-layers label').first().click();
    await page.locator('#feature-grid').scrollIntoViewIfNeeded();
    await drawn('#feature-grid [role=radio]:nth-child(1) canvas', 4);
  });
  await check('a channel can be chosen, and shows its picture and when it fires', async () => {
    const channel = page.locator('#feature-grid [role=radio]').nth(2);
    await channel.click();
    same(await channel.getAttribute('aria-checked'), 'true', 'aria-checked');
    must((await text('#feature-name')).endsWith(`channel ${await channel.getAttribute('data-index')}`), 'another name stands above it');
    await drawn('#feature-profile canvas', 4);
    if (hasPicture) await drawn('#feature-picture canvas', 40);
    await page.keyboard.press('ArrowRight');
    same(await page.locator('#feature-grid [role=radio]').nth(3).getAttribute('aria-checked'), 'true', 'after an arrow key, aria-checked of the next');
    await shot('features');
  });
} else skip('feature maps', 'not given by this model');
if (gives('attention')) {
  await check('attention lies over the spectrogram, by layer and head', async () => {
    await page.click('#view-attention');
    same(await page.locator('#attention-grid [role=radio]').count(), answer.attention.at(-1).shape[0] + 1, 'heads and their mean');
    await drawn('#attention-picture canvas', 40);
    await page.locator('#attention-grid [role=radio]').nth(1).click();
    must((await text('#attention-name')).includes('head 0'), 'head 0 was not chosen');
    await shot('attention');
  });
} else skip('attention', 'not given by this model');
if (gives('reconstruction')) {
  await check('the reconstruction is drawn, and its slider asks again', async () => {
    await page.click('#view-reconstruction');
    for (const plot of ['input', 'seen', 'prediction']) await drawn(`#reconstruction-${plot} canvas`, 30);
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.url().includes('/v1/predict')),
      page.locator('#mask-ratio').fill('50'),
    ]);
    const ratio = new URL(request.url()).searchParams.get('mask_ratio') ?? request.postDataJSON()?.mask_ratio;
    same(Number(ratio), 0.5, 'mask_ratio');
    await page.waitForFunction(() => !document.getElementById('reconstruction-plots').hasAttribute('aria-busy'));
    same(await text('#reconstruction-note').catch(() => ''), '', 'the note');
    await shot('reconstruction');
  });
} else skip('reconstruction', 'not given by this model');
if (gives('constellation')) {
  await check('the constellation is drawn and the signal to noise ratio named', async () => {
    await page.click('#view-constellation');
    await drawn('#constellation-picture canvas', 12);
    must(/dB|unknown/.test(await text('#snr')), 'no figure');
    await shot('constellation');
  });
} else skip('constellation', 'not given by this model');
if (model.index) {
  await check('neighbours come with label and score; one plays at a time', async () => {
    await page.click('#view-neighbours');
    await page.waitForSelector('#neighbour-cards .item');
    must(/\d/.test(await text('#neighbour-cards .score')), 'no score');
    const plays = page.locator('#neighbour-cards button.view');
    if (await plays.count() < 2) return;
    await plays.nth(0).click();
    await page.waitForSelector('#neighbour-cards li:nth-child(1) .item.playing');
    await plays.nth(1).click();
    await page.waitForSelector('#neighbour-cards li:nth-child(2) .item.playing');
    same(await page.locator('.item.playing').count(), 1, 'the number of sounds playing');
    await shot('neighbours');
  });
  await check('a click on a neighbour loads it', async () => {
    const id = await text('#neighbour-cards .id');
    await page.locator('#neighbour-cards button.small').first().click();
    await page.waitForFunction((wanted) => document.getElementById('clip-name').textContent === wanted, id);
  });
  await check('the index can be searched and a clip of it opened', async () => {
    await page.click('#pick');
    await page.waitForSelector('#items-cards .item');
    const label = await page.locator('#items-cards .label').first().textContent().catch(() => '');
    if (label && !label.includes(',') && !label.includes('=')) {
      await page.fill('#items-where', label);
      await page.keyboard.press('Enter');
      await page.waitForFunction((wanted) => {
        const found = [...document.querySelectorAll('#items-cards .label')].map((node) => node.textContent);
        return found.length > 0 && found.every((one) => one === wanted);
      }, label);
    }
    const id = await text('#items-cards .id');
    await page.locator('#items-cards button.small').first().click();
    await page.waitForFunction((wanted) => document.getElementById('clip-name').textContent === wanted, id);
    must(!await visible('#items'), 'the dialog stayed open');
  });

  // -- the map ----------------------------------------------------------------------------------------------------------
  await check('the map is drawn', async () => {
    await page.click('#tab-map');
    await page.waitForSelector('#map-body:not([hidden])', {timeout: 60000});
    await drawn('#map canvas', 8);
  });
  await check('arrow keys go from clip to clip on the map, and name it', async () => {
    await page.focus('#map');
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('#map-item .item .id');
    const first = await text('#map-item .id');
    for (const key of ['ArrowLeft', 'ArrowUp', 'ArrowDown']) await page.keyboard.press(key);
    await page.waitForFunction((id) => document.querySelector('#map-item .id')?.textContent !== id, first);
  });
  await check('a loop selects clips and counts their labels; the legend hides a label', async () => {
    await page.click('#map-lasso');
    const at = await box('#map');
    await page.mouse.move(at.x + 15, at.y + 15);  // its corners are round
    await page.mouse.down();
    for (const [x, y] of [[0.97, 0.03], [0.97, 0.97], [0.03, 0.97]]) await page.mouse.move(at.x + x * at.width, at.y + y * at.height);
    await page.mouse.up();
    const total = Number((await text('#map-selected')).replace(/[^0-9]/g, ''));
    must(total > 0, 'nothing selected');
    const tally = (await page.locator('#map-tally td').allTextContents()).reduce((sum, n) => sum + Number(n.replace(/,/g, '')), 0);
    same(tally, total, 'the sum of the label counts');
    await shot('map');
    await page.click('#map-clear');
    const before = await page.locator('#map canvas').evaluate((canvas) => canvas.toDataURL());
    await page.locator('#legend button').first().click();
    await page.waitForTimeout(200);
    must(before !== await page.locator('#map canvas').evaluate((canvas) => canvas.toDataURL()), 'the legend changed nothing');
    await page.locator('#legend button').first().click();
    await page.click('#map-lasso');
  });
} else {
  skip('neighbours, index and map', 'no index');
  await check('without an index the page says how to get one', async () => {
    await page.click('#tab-map');
    must((await text('#map-none')).includes('--index'), 'it does not');
  });
}

// -- runs and model -----------------------------------------------------------------------------------------------------
await check(model.runs ? 'runs are listed, with curves for each metric' : 'without runs the page says how to get them', async () => {
  await page.click('#tab-runs');
  if (!model.runs) return must((await text('#runs-none')).includes('--runs'), 'it does not');
  await page.waitForFunction(() => document.querySelector('#runs-list button') || document.getElementById('runs-note').textContent !== '');
  if (await page.locator('#runs-list button').count() === 0) return;
  await page.waitForSelector('#charts .chart canvas');
  await drawn('#charts .chart canvas', 6);
  await page.check('#runs-log');
  await page.waitForTimeout(200);
  await drawn('#charts .chart canvas', 6);
  const at = await box('#charts .chart canvas');
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.waitForFunction(() => document.querySelector('.chart-legend .at').textContent !== '');
  await shot('runs');
});
await check('the model page names id, hash and how to ask by hand', async () => {
  await page.click('#tab-model');
  const facts = await text('#panel-model');
  for (const part of [model.id, model.sha256, 'curl']) must(facts.includes(part), `no ${part}`);
  await shot('model');
});

// -- hostile and broken input -------------------------------------------------------------------------------------------
const NAME = '<img src=x onerror=alert(1)>.wav';
await check('a text file named .wav shows the code and a message in words; its hostile name stays text', async () => {
  tolerant = true;
  await upload({name: NAME, mimeType: 'audio/wav', buffer: Buffer.from('This is no sound.\n'.repeat(20))});
  tolerant = false;
  must(await visible('#error'), 'no error is shown');
  must(/^[A-Z]{3,}$/.test(await text('#error-code')), `the code is "${await text('#error-code')}"`);
  must((await text('#error-message')).length > 10, 'no message');
  must((await text('#error-title')).includes(NAME), 'the name is not shown as it is');
  same(await page.locator('img[src=x]').count(), 0, 'the number of injected images');
  must(!await visible('#result'), 'the old result still shows');
  await shot('error');
});
await check('after the error the next good file works', async () => {
  await good();
  must(!await visible('#error'), 'the error still shows');
});
await check('a good file with a hostile name works and stays text', async () => {
  await upload({name: NAME.replace('.wav', sound.slice(sound.lastIndexOf('.'))), mimeType: 'application/octet-stream', buffer: readFileSync(sound)});
  must((await text('#clip-name')).startsWith('<img src=x onerror=alert(1)>'), 'the name is not shown as it is');
  same(await page.locator('img[src=x]').count(), 0, 'the number of injected images');
});
for (const [way, event] of [['dropped', 'drop'], ['pasted', 'paste']]) {
  await check(`a file can be ${way}`, async () => {
    await page.evaluate(([kind, name, base64]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
      const made = kind === 'drop' ? new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})
        : new ClipboardEvent('paste', {clipboardData: data, bubbles: true});
      document.body.dispatchEvent(made);
    }, [event, `${way}${sound.slice(sound.lastIndexOf('.'))}`, readFileSync(sound).toString('base64')]);
    await page.waitForFunction((name) => document.getElementById('clip-name').textContent.startsWith(name) && document.getElementById('progress').hidden, way);
    must(await visible('#result'), 'no result');
  });
}
if (!iq) {
  await check('the microphone is recorded and sent as a WAV file', async () => {
    await page.click('#record');
    await page.waitForFunction(() => parseFloat(document.getElementById('record-time').textContent) > 1.2);
    await page.click('#record');
    await page.waitForFunction(() => document.getElementById('clip-name').textContent.startsWith('recording') && document.getElementById('progress').hidden);
    must((await text('#clip-facts')).includes('WAV'), `it says ${await text('#clip-facts')}`);
  });
}
const radio = option('iq');
if (radio) {
  await check(iq ? 'the radio recording gives a constellation' : 'a radio recording is refused in words, and nothing breaks', async () => {
    const files = radio.endsWith('.sigmf-meta') ? [radio, radio.replace(/meta$/, 'data')] : [radio];
    tolerant = !iq;
    await upload(files);
    tolerant = false;
    if (!iq) {
      must(await visible('#error') && (await text('#error-message')).length > 10, 'no error is shown');
      return good();
    }
    await page.click('#view-constellation');
    await drawn('#constellation-picture canvas', 12);
  });
}

// -- without a mouse ----------------------------------------------------------------------------------------------------
await check('by keyboard alone: Tab to the button, choose, arrows through the tabs', async () => {
  await page.goto(BASE);
  await page.waitForFunction(() => document.getElementById('model-line').textContent !== '');
  const focused = () => page.evaluate(() => document.activeElement.id);
  await page.keyboard.press('Tab');
  same(await page.evaluate(() => document.activeElement.className), 'skip', 'the first stop');
  for (let i = 0; i < 10 && await focused() !== 'choose'; ++i) await page.keyboard.press('Tab');
  same(await focused(), 'choose', 'the focus');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  must(ring !== 'none', 'the focus cannot be seen');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await chooser.setFiles(sound);
  await page.waitForSelector('#result:not([hidden])');
  for (let i = 0; i < 40 && !(await focused()).startsWith('view-'); ++i) await page.keyboard.press('Tab');
  const first = await focused();
  must(first.startsWith('view-'), 'Tab does not reach the views');
  await page.keyboard.press('ArrowRight');
  const next = await focused();
  same(await page.locator(`#${next}`).getAttribute('aria-selected'), 'true', 'aria-selected of the tab after the arrow key');
  must(next !== first || await page.locator('#views [role=tab]:visible').count() === 1, 'the arrow key moved nowhere');
  await page.focus('#tab-clip');
  for (const id of ['tab-map', 'tab-runs', 'tab-model']) {
    await page.keyboard.press('ArrowRight');
    same(await focused(), id, 'the tab in focus');
    must(await visible(`#${id.replace('tab', 'panel')}`), `${id} shows no panel`);
  }
});

// -- themes, accessibility, small screens -------------------------------------------------------------------------------
/** Goes through every tab and view with a clip loaded and calls `visit(name)` on each. */
async function tour(visit) {
  await page.goto(BASE);
  await page.waitForFunction(() => document.getElementById('model-line').textContent !== '');
  if (model.index) await page.waitForSelector('#suggested .item');
  await visit('welcome');
  await good();
  for (const id of await page.locator('#views [role=tab]:visible').evaluateAll((tabs) => tabs.map((tab) => tab.id))) {
    await page.click(`#${id}`);
    await page.waitForTimeout(250);
    await visit(id);
  }
  if (model.index) {
    await page.click('#pick');
    await page.waitForSelector('#items-cards .item');
    await visit('items dialog');
    await page.keyboard.press('Escape');
  }
  for (const id of ['tab-map', 'tab-runs', 'tab-model']) {
    await page.click(`#${id}`);
    await page.waitForTimeout(600);
    await visit(id);
  }
  tolerant = true;
  await upload({name: 'broken.wav', mimeType: 'audio/wav', buffer: Buffer.from('no sound')});
  tolerant = false;
  await visit('error');
}
async function axe() {
  await page.evaluate(AXE);
  const {violations} = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
  const grave = violations.filter(({impact}) => impact === 'serious' || impact === 'critical');
  must(grave.length === 0, grave.map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ')}`).join('; '));
}
for (const theme of ['light', 'dark']) {
  await page.context().close();
  page = await newPage({colorScheme: theme, reducedMotion: 'reduce'});
  const grave = [];
  await check(`${theme}: the system's wish is followed and the toggle turns it round`, async () => {
    await page.goto(BASE);
    const now = () => page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor].join());
    const before = await now();
    must(before.startsWith(theme), `it is ${before}`);
    await page.click('#theme');
    must(!(await now()).startsWith(theme), 'the toggle changes nothing');
    await page.click('#theme');
    same(await now(), before, 'the theme after two clicks');
  });
  await check(`${theme}: axe finds nothing serious on any tab`, async () => {
    await tour(async (name) => {
      await shot(`${theme}-${name.replace(/ /g, '-')}`);
      await axe().catch((error) => grave.push(`${name}: ${error.message}`));
    });
    must(grave.length === 0, grave.join(' | '));
  });
}
await page.context().close();
page = await newPage({viewport: {width: 390, height: 844}, deviceScaleFactor: 2, hasTouch: true, isMobile: true});
await check('at 390 px nothing scrolls sideways and every target is at least 24 px', async () => {
  const wrong = [];
  await tour(async (name) => {
    await shot(`phone-${name.replace(/ /g, '-')}`);
    const {wide, small} = await page.evaluate(() => ({
      wide: document.scrollingElement.scrollWidth,
      small: [...document.querySelectorAll('button, select, input, a[href]')].filter((node) => {
        const {width, height} = (node.closest('label') ?? node).getBoundingClientRect();
        return width > 0 && node.className !== 'skip' && !node.closest('p:has(a)') && (width < 24 || height < 24);
      }).map((node) => node.id || node.className || node.textContent),
    }));
    if (wide > 390) wrong.push(`${name} is ${wide} px wide`);
    if (small.length > 0) wrong.push(`${name} has small targets: ${small.slice(0, 4).join(', ')}`);
  });
  must(wrong.length === 0, wrong.join('; '));
});

await check('no console error, exception, dialog or policy violation', async () => must(faults.length === 0, faults.slice(0, 3).join(' | ')));
await check('no request left the server', async () => must(strangers.length === 0, strangers.slice(0, 3).join(' | ')));

await browser.close();
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);
