import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MetricCells } from '#shared/metric-cells.ts';
import { RowFinder } from '#shared/row-finder.ts';

describe('the row of a series', () => {
  it('is found once it was learned, by its subject and its number', () => {
    const rows = MetricCells.create(1).ofWorker(0).requestDuration;
    const finder = new RowFinder(rows);
    const [red, blue] = [{}, {}];
    assert.equal(finder.find(red, 200), undefined);
    const learned = [
      finder.learn(red, 200, ['red', 200]),
      finder.learn(red, 404, ['red', 404]),
      finder.learn(blue, 200, ['blue', 200]),
    ];
    const find = () => [finder.find(red, 200), finder.find(red, 404), finder.find(blue, 200)];
    assert.equal(new Set(learned).size, 3);
    assert.deepEqual([find(), find()], [learned, learned]);
    assert.equal(finder.find(blue, 404), undefined);
  });

  it('is the same for the next object that it is about', () => {
    const rows = MetricCells.create(1).ofWorker(0).requestDuration;
    const finder = new RowFinder(rows);
    assert.equal(finder.learn({}, 200, ['red']), finder.learn({}, 200, ['red']));
  });
});
