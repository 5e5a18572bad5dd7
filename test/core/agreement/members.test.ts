import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FORMER_MS_MAX, MEMBER_MS_MAX, MEMBERS_MAX, Members } from '#core/agreement/members.ts';
import { INTRODUCTION } from './words.ts';

const stamp = (sequence: number, incarnation = 1) => ({ incarnation, sequence });

describe('members', () => {
  it('are in from their first heartbeat, and out when none came for three seconds', () => {
    const members = new Members();
    assert.equal(members.hear('blue', stamp(0), INTRODUCTION, 0), 'joined');
    assert.equal(members.hear('blue', stamp(1), INTRODUCTION, 1000), 'seen');
    assert.deepEqual(members.expire(1000 + MEMBER_MS_MAX - 1), []);
    assert.deepEqual(members.ids, ['blue']);
    assert.deepEqual(members.expire(1000 + MEMBER_MS_MAX), ['blue']);
    assert.deepEqual(members.ids, []);
  });

  it('are out at once when they say so', () => {
    const members = new Members();
    members.hear('blue', stamp(0), INTRODUCTION, 0);
    assert.equal(members.leave('blue', stamp(1), 10), 'seen');
    assert.deepEqual(members.ids, []);
  });

  it('cannot be brought back by what they said before', () => {
    const members = new Members();
    members.hear('blue', stamp(5), INTRODUCTION, 0);
    members.expire(MEMBER_MS_MAX);
    assert.equal(members.hear('blue', stamp(5), INTRODUCTION, MEMBER_MS_MAX + 1), 'replayed');
    assert.equal(members.leave('blue', stamp(4), MEMBER_MS_MAX + 1), 'replayed');
    assert.equal(members.hear('blue', stamp(0, 2), INTRODUCTION, MEMBER_MS_MAX + 1), 'joined');
  });

  it('may come back from a clock that was set back, in time', () => {
    const members = new Members();
    members.hear('blue', stamp(5, 9), INTRODUCTION, 0);
    members.leave('blue', stamp(6, 9), 1);
    members.expire(1 + FORMER_MS_MAX);
    assert.equal(members.hear('blue', stamp(0, 8), INTRODUCTION, 2 + FORMER_MS_MAX), 'joined');
  });

  it('are no more than there are places for', () => {
    const members = new Members();
    for (let i = 0; i < MEMBERS_MAX; i++) members.hear(`instance-${i}`, stamp(0), INTRODUCTION, 0);
    assert.equal(members.hear('one-more', stamp(0), INTRODUCTION, 0), 'crowded');
    assert.equal(members.hear('instance-0', stamp(1), INTRODUCTION, 0), 'seen');
    assert.equal(members.ids.length, MEMBERS_MAX);
  });

  it('lag behind the latest revision that anybody has come to', () => {
    const members = new Members();
    const at = (revision: number) => ({ ...INTRODUCTION, revision });
    members.noteRevision(7);
    members.hear('blue', stamp(0), at(7), 0);
    members.hear('green', stamp(0), at(6), 0);
    members.hear('green', stamp(1), at(6), 1000);
    const lags = (nowMs: number) => members.views(nowMs).map(({ id, lagMs }) => [id, lagMs]);
    assert.deepEqual(lags(1500), [
      ['blue', 0],
      ['green', 1500],
    ]);
    members.hear('green', stamp(2), at(7), 2000);
    assert.deepEqual(lags(2500), [
      ['blue', 0],
      ['green', 0],
    ]);
  });
});
