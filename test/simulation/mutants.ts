/** A defect that a person could write: in the compiled `file` of `src/workers`, `from` becomes `to`. */
export interface Mutant {
  readonly defect: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** The simulation must find each of these. */
export const MUTANTS: readonly Mutant[] = [
  {
    defect: 'a started request is put back into the queue when its worker dies',
    file: 'dead-lane.js',
    from: 'pendingRequests.slice(running + 1)',
    to: 'pendingRequests.slice(running)',
  },
  {
    defect: 'a waiting request is forgotten when its worker dies',
    file: 'dead-lane.js',
    from: 'pendingRequests.slice(running + 1)',
    to: 'pendingRequests.slice(running + 2)',
  },
  {
    defect: 'a request is repeated without a limit',
    file: 'dead-lane.js',
    from: 'pending.retried = true;',
    to: '',
  },
  {
    defect: 'a request that is not idempotent is repeated',
    file: 'dead-lane.js',
    from: 'isIdempotent(pending.request.method)',
    to: 'true',
  },
  {
    defect: 'the queue has no limit',
    file: 'admission.js',
    from: 'length >= this.#options.queueMax',
    to: 'false',
  },
  {
    defect: 'a stopped pool keeps what a lane gives back',
    file: 'pool.js',
    from: 'if (this.#stopped)\n            this.#refuseAll();',
    to: '',
  },
  {
    defect: 'requests that a lane gave back are lost',
    file: 'worker.js',
    from: 'this.#lanes.pool.requeue(pendingRequests)',
    to: 'pendingRequests.length',
  },
  {
    defect: 'a recall is not sent',
    file: 'worker.js',
    from: "this.#control.send({ kind: 'recall', lane: lane.index })",
    to: 'void lane',
  },
  {
    defect: 'requests that were given back stay in the lane, too',
    file: 'lane.js',
    from: 'this.inflight.splice(0, this.inflight.length, ...kept);',
    to: '',
  },
  {
    defect: 'the sections of a lane are not forgotten after a recall',
    file: 'lane.js',
    from: 'this.#batch.headerCache.forget();',
    to: '',
  },
  {
    defect: 'the id of a frame is not compared',
    file: 'lane.js',
    from: 'pending.id !== data.readUInt32LE(position)',
    to: 'false',
  },
  {
    defect: 'the second half of a frame is dropped',
    file: 'lane.js',
    from: 'data = this.#blocks.join(this.#incomplete, data);',
    to: '',
  },
  {
    defect: 'a response that breaks off looks complete',
    file: 'lane-blocks.js',
    from: 'this.#passing?.abort();',
    to: 'this.#passing?.end();',
  },
  {
    defect: 'a lane stays paused when its client reads again',
    file: 'lane.js',
    from: 'this.socket.resume();',
    to: '',
  },
  {
    defect: 'a buffer is used again although the kernel still needs it',
    file: 'batch.js',
    from: 'if (socket.writableLength > 0)\n            socket.write(NOTHING, () => keep(writer));\n        else',
    to: '',
  },
  {
    defect: 'a block of content is kept without a copy',
    file: 'request-body.js',
    from: 'Buffer.from(block)',
    to: 'block',
  },
  {
    defect: 'a spool file is left',
    file: 'pending-request.js',
    from: 'this.body?.release();',
    to: '',
  },
  {
    defect: 'a part of a block that was written counts as all of it',
    file: 'upload-file.js',
    from: 'this.#writtenOfFirst === this.#full[0]?.bytes',
    to: 'true',
  },
  {
    defect: 'an upload is not told that its file has room again',
    file: 'upload-file.js',
    from: 'this.#owner.onRoom();',
    to: '',
  },
  {
    defect: 'a file that is given up is closed while it is written',
    file: 'upload-file.js',
    from: 'if (this.#writing)',
    to: 'if (false)',
  },
  {
    defect: 'content in memory has no limit',
    file: '../http/buffering/content-memory.js',
    from: 'this.#held + bytes <= this.bytesMax',
    to: 'true',
  },
  {
    defect: 'memory of an upload is not given back',
    file: 'request-body.js',
    from: 'contentMemory.release(this.#held);',
    to: '',
  },
  {
    defect: 'the timer of a start is forgotten',
    file: 'release-start.js',
    from: 'clearTimeout(this.#timer);',
    to: '',
  },
  {
    defect: 'dead workers are not replaced',
    file: 'serving-workers.js',
    from: 'this.#replacements.plan(worker.bornMs)',
    to: '0',
  },
  {
    defect: 'nobody notices that a worker does not respond',
    file: 'worker-control.js',
    from: 'return this.#life.tick();',
    to: 'return this.#life.tick() && false;',
  },
  {
    defect: 'frames are accepted in any order',
    file: 'lane.js',
    from: "wrong !== ''",
    to: 'false',
  },
  {
    defect: 'a request counts as never started, because a later one was recovered',
    file: 'lane.js',
    from: 'this.inflight.find((pending) => pending.id === id)?.settle(response)',
    to: 'this.inflight.splice(this.inflight.findIndex((each) => each.id === id) >>> 0, 1)[0]?.settle(response)',
  },
  {
    defect: 'a client that left the queue is served',
    file: 'pool.js',
    from: 'if (this.#queue.remove(pending))',
    to: 'if (pending.settled)',
  },
  {
    defect: 'a stopped server makes new private directories',
    file: 'private-directory.js',
    from: 'if (this.#closed)',
    to: 'if (false)',
  },
  {
    defect: 'workers outlive a zygote that died',
    file: 'release.js',
    from: 'killProcess(worker.pid);\n            worker.exited',
    to: 'worker.exited',
  },
  {
    defect: 'a successor does not count as a worker of its own',
    file: 'serving-workers.js',
    from: 'worker.admit();',
    to: 'if (recycle === undefined) worker.admit();',
  },
  {
    defect: 'requests that wait for a release on trial are lost when the trial is over',
    file: 'pool.js',
    from: 'if (waiting.length > 0)\n            heir.requeue(waiting);',
    to: '',
  },
  {
    defect: 'a request whose content is complete after the trial waits for a release that is gone',
    file: 'pool.js',
    from: 'if (this.#heir !== null) {\n            this.#heir.#enter(pending);\n            return;\n        }',
    to: '',
  },
  {
    defect: 'the workers of a release that stays keep to the pool of its trial',
    file: 'release.js',
    from: 'worker.moveTo(pool);',
    to: 'void worker;',
  },
  {
    defect: 'a release on trial that failed is not ended',
    file: 'succession.js',
    from: 'this.trialFailure = error;\n        this.#retire(release);',
    to: 'this.trialFailure = error;',
  },
];
