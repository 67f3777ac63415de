// What is wrong with the page as it is laid out now: a list of sentences, at most 20.
(() => {
  const problems = [];
  const say = (what, element) => problems.push(
      `${what}: <${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}"> ` +
      (element.textContent ?? '').trim().slice(0, 60));
  const width = document.documentElement.clientWidth;
  const shown = element => element.checkVisibility({checkVisibilityCSS: true});

  if (document.scrollingElement.scrollWidth > width) problems.push('the page scrolls sideways');
  for (const element of document.querySelectorAll('body *')) {
    if (!shown(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0) continue;
    const svg = element.ownerSVGElement;
    if (box.right > width + 1 || box.left < -1) say('beyond the page', element);
    if (svg && element.tagName === 'text') {
      const frame = svg.getBoundingClientRect();
      const room = svg.classList.contains('map') ? 60 : 1;
      if (box.right > frame.right + room || box.left < frame.left - room) say('cut off', element);
    }
    if (!svg && element.tagName !== 'svg' && element.scrollWidth > element.clientWidth + 1 &&
        getComputedStyle(element).display !== 'inline' && element.clientWidth > 0) {
      say('wider than its box', element);
    }
  }

  // Contrast of text against what is behind it (WCAG 2.1, 1.4.3).
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = text => (text.match(/[\d.]+/g) ?? []).map(Number);
  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  for (const element of document.querySelectorAll('body *')) {
    const words = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!words || !shown(element)) continue;
    const style = getComputedStyle(element);
    const svg = element.ownerSVGElement;
    const ink = parse(svg ? style.fill : style.color);
    let ground = behind(svg ?? element);
    const label = svg && /on-(c-[a-z]+)/.exec(element.getAttribute('class'));
    if (label) ground = parse(getComputedStyle(svg.querySelector('rect.' + label[1])).fill);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5;
    const ratio = contrast(ink, ground);
    if (ratio < needed) say(`contrast ${ratio.toFixed(2)} of ${needed}`, element);
  }

  // What a reader without eyes gets.
  if (document.querySelectorAll('h1').length !== 1) problems.push('not exactly one h1');
  for (const svg of document.querySelectorAll('svg')) {
    if (svg.getAttribute('aria-hidden') !== 'true' && !svg.getAttribute('aria-label')) {
      say('a figure without words', svg);
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`id ${id} twice`);
  for (const link of document.querySelectorAll('a')) {
    const to = link.getAttribute('href');
    if (!to.startsWith('#') || !ids.includes(to.slice(1))) say(`a link to ${to}`, link);
  }

  // Nothing from the wire became markup.
  const known = new Set(
      ('html head meta link title style body header main nav section article footer h1 h2 h3 h4 p a b span code ' +
       'pre ul ol li dl dt dd table caption thead tbody tr th td details summary svg rect line circle text div')
          .split(' '));
  for (const element of document.querySelectorAll('*')) {
    if (!known.has(element.tagName.toLowerCase())) say('an element that is not ours', element);
    for (const attribute of element.attributes) {
      if (attribute.name.startsWith('on')) say(`attribute ${attribute.name}`, element);
    }
  }
  return problems.slice(0, 20);
})()
