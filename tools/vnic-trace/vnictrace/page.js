// SPDX-License-Identifier: GPL-2.0
'use strict';
(function () {
	const runs = JSON.parse(document.getElementById('data').textContent).runs;
	const steps = [];
	const at = id => document.getElementById(id);
	let now = 0;

	function time(ns) {
		if (ns < 1000)
			return ns + ' ns';
		if (ns < 1e5)
			return (ns / 1000).toFixed(1) + ' us';
		if (ns < 1e6)
			return (ns / 1000).toFixed(0) + ' us';
		if (ns < 1e9)
			return (ns / 1e6).toFixed(1) + ' ms';
		return (ns / 1e9).toFixed(1) + ' s';
	}

	// Only ever as text: a name may have anything in it.
	function make(name, text, parent) {
		const one = document.createElement(name);
		if (text !== undefined)
			one.textContent = text;
		if (parent)
			parent.appendChild(one);
		return one;
	}

	function source(step) {
		const from = step.hop.source;
		const pre = at('source');
		pre.textContent = '';
		let where = '';
		if (from.function)
			where = from.function + '()';
		if (from.file)
			where += ' in ' + from.file + (from.line ? ':' + from.line : '');
		at('where').textContent = where;
		(from.text || []).forEach(function (line, i) {
			const one = make('span', line || ' ', pre);
			if (from.from + i === from.line)
				one.className = 'told';
		});
	}

	function fields(step) {
		const table = at('fields');
		table.textContent = '';
		const all = Object.assign({event: step.hop.station, cpu: step.hop.cpu,
			process: step.hop.comm + ' (' + step.hop.pid + ')'},
			step.hop.fields);
		Object.keys(all).forEach(function (key) {
			const row = make('tr', undefined, table);
			make('td', key, row);
			make('td', String(all[key]), row);
		});
	}

	function mark(step, index) {
		const key = step.run + '-' + step.hop.number;
		['hop-', 'arrow-', 'word-'].forEach(function (kind) {
			const one = at(kind + key);
			if (!one)
				return;
			one.classList.toggle('now', index === now);
			one.classList.toggle('later', index > now);
		});
		step.button.toggleAttribute('aria-current', index === now);
	}

	function show(index) {
		now = Math.max(0, Math.min(index, steps.length - 1));
		const step = steps[now];
		at('place').textContent = 'step ' + (now + 1) + ' of ' + steps.length +
			', ' + step.lane.name;
		at('words').textContent = step.hop.words;
		at('words').className = step.hop.bad ? 'bad' : '';
		let text = time(step.hop.time) + ' after the start';
		if (step.before)
			text += ', ' + time(step.hop.time - step.before.time) +
				' after the step before';
		at('time').textContent = text + ', on CPU ' + step.hop.cpu +
			', in the name of ' + step.hop.comm;
		at('explain').textContent = step.hop.explain;
		source(step);
		fields(step);
		steps.forEach(mark);
		at('first').disabled = at('back').disabled = now === 0;
		at('next').disabled = now === steps.length - 1;
		history.replaceState(null, '', '#' + (now + 1));
	}

	function list(run, r) {
		const nav = at('list');
		if (runs.length > 1)
			make('h2', run.kind || 'run ' + (r + 1), nav);
		run.trips.forEach(function (trip) {
			make('h3', 'Trip ' + trip.number + ': ' +
				(trip.what || 'a packet') + ', ' + trip.length + ' bytes', nav);
			trip.hops.forEach(function (hop, i) {
				const index = steps.length;
				const button = make('button', undefined, nav);
				make('b', String(hop.number), button);
				make('i', time(hop.time), button);
				make('span', hop.words, button);
				if (hop.bad)
					button.className = 'bad';
				button.addEventListener('click', () => show(index));
				const dot = at('hop-' + r + '-' + hop.number);
				if (dot)
					dot.addEventListener('click', () => show(index));
				steps.push({run: r, hop: hop, lane: run.lanes[hop.lane],
					before: trip.hops[i - 1], button: button});
			});
		});
	}

	runs.forEach(list);
	if (!steps.length) {
		at('words').textContent = 'No packet was seen.';
		return;
	}
	at('first').addEventListener('click', () => show(0));
	at('back').addEventListener('click', () => show(now - 1));
	at('next').addEventListener('click', () => show(now + 1));
	document.addEventListener('keydown', function (event) {
		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		const keys = {ArrowRight: now + 1, ArrowLeft: now - 1, ' ': now + 1,
			Home: 0, End: steps.length - 1};
		if (!(event.key in keys) ||
		    (event.key === ' ' && event.target.tagName === 'BUTTON'))
			return;
		event.preventDefault();
		show(keys[event.key]);
	});
	show((parseInt(location.hash.slice(1), 10) || 1) - 1);
}());
