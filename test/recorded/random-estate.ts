/**
 * Estates that nobody thought of: a small lab that goes on living (guests are made, renamed, rebuilt, renumbered, copied,
 * moved, replaced by containers, destroyed), and what its sources say of it, with slips. The same seed makes the same
 * estate. Pools are small, so that things meet.
 */

import { type Estate, type Observed, type Step, seeded, shuffled } from '../estates/run.ts';

/** What stands after the steps so far: what a person could act upon. */
export interface Standing {
  /** Claims by item; each a `SOURCE KEY`. */
  items: readonly (readonly string[])[];
  /** Items that are missing or retired, by their first claim. */
  dead: ReadonlySet<string>;
  tags: ReadonlyMap<string, readonly string[]>;
  conflicts: readonly { claim: string; candidates: readonly string[] }[];
  held: readonly string[];
}

interface Machine {
  cluster: 'home' | 'ranch' | null;
  number: number;
  isContainer: boolean;
  name: string;
  site: string;
  uuid: string | undefined;
  macs: string[];
  serial: string | undefined;
  machineId: string;
  power: string;
  cores: number;
}

const names = ['web', 'db', 'nas', 'dns', 'app'];
const numbers = [101, 102, 103, 104, 105];
const uuids = ['1', '2', '3', '4', '5', '6', '7'].map((digit) => `${digit.repeat(8)}-1111-4111-8111-111111111111`);
const macs = ['01', '02', '03', '04', '05', '06', '07', '08'].map((byte) => `BC:24:11:00:00:${byte}`);
const serials = ['SN1', 'SN2', 'SN3', 'To Be Filled By O.E.M.'];
const machineIds = ['a', 'b', 'c'].map((digit) => digit.repeat(32));
const powers = ['running', 'running', 'running', 'stopped', 'paused', 'suspended', 'prelaunch', 'unknown'];
const tags = ['dmz', 'lab', 'old'];
const clocks = [5, 10, 20, 60, 360, 720, 1440, 1500, 3000, 11_000, 30_000];

/** `standing` says what stands after some steps, so that actions name what is there. */
export function randomEstate(seed: number, standing: (estate: Estate) => Standing): Estate {
  return new Lab(seed).live(standing);
}

class Lab {
  readonly #random: () => number;
  readonly #seed: number;
  readonly #estate: Estate;
  #minutes = 0;
  readonly #isOneByOne: boolean;
  readonly #siteOf: Record<'home' | 'ranch', string>;
  #machines: Machine[] = [];
  #graves: Machine[] = [];
  /** What each Terraform state and inventory file says: it is not always read again when the lab moves on. */
  #resources = new Map<string, Observed>();
  #inventory = new Map<string, Observed>();
  #said: Observed[] = [];

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = seeded(seed);
    this.#isOneByOne = this.#chance(0.5);
    this.#siteOf = { home: 'site-home', ranch: this.#chance(0.3) ? 'site-home' : 'site-ranch' };
    this.#estate = {
      name: `random-${seed}`,
      why: 'made up',
      sites: { 'site-home': { domains: ['home.lab'] }, 'site-ranch': { domains: [] } },
      default_site: 'site-home',
      steps: [],
    };
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  #some<T>(list: readonly T[], probability: number): T[] {
    return list.filter(() => this.#chance(probability));
  }

  live(standing: (estate: Estate) => Standing): Estate {
    for (let count = 1 + Math.floor(this.#random() * 4); count > 0; count -= 1) this.#make();
    const steps = 2 + Math.floor(this.#random() * 8);
    for (let count = 0; count < steps; count += 1) {
      this.#minutes += this.#pick(clocks);
      if (count > 0) for (let events = Math.floor(this.#random() * 3); events > 0; events -= 1) this.#happen();
      this.#say(this.#step());
      if (this.#chance(0.4)) this.#play(standing(this.#estate));
      if (this.#chance(0.1)) this.#hearLate();
      if (!this.#chance(0.25)) continue;
      // Nobody acts in the very moment in which a thing is first heard of.
      this.#minutes += this.#pick(clocks);
      const action = this.#action(standing(this.#estate));
      if (action) this.#estate.steps.push({ at: this.#time(0), action });
    }
    return this.#estate;
  }

  // The lab

  #make(): void {
    const kind = this.#random();
    const cluster = kind < 0.6 ? 'home' : kind < 0.85 ? 'ranch' : null;
    const isContainer = cluster !== null && this.#chance(0.25);
    this.#machines.push({
      cluster,
      number: this.#freeNumber(cluster),
      isContainer,
      name: this.#pick(names),
      site: cluster ? this.#siteOf[cluster] : this.#pick(['site-home', 'site-ranch']),
      uuid: isContainer || this.#chance(0.1) ? undefined : this.#pick(uuids),
      macs: this.#someMacs(),
      serial: cluster === null || this.#chance(0.1) ? this.#pick(serials) : undefined,
      machineId: this.#pick(machineIds),
      power: 'running',
      cores: 2,
    });
  }

  #someMacs(): string[] {
    return this.#chance(0.1) ? [] : this.#chance(0.15) ? [this.#pick(macs), this.#pick(macs)] : [this.#pick(macs)];
  }

  #freeNumber(cluster: Machine['cluster']): number {
    const used = new Set(this.#machines.filter((one) => one.cluster === cluster).map((one) => one.number));
    return this.#pick(
      numbers
        .filter((number) => !used.has(number))
        .concat(used.size >= numbers.length ? [900 + this.#machines.length] : []),
    );
  }

  #happen(): void {
    const machine = this.#machines.length > 0 ? this.#pick(this.#machines) : undefined;
    if (!machine) {
      this.#make();
      return;
    }
    const body = () => {
      machine.uuid = machine.isContainer ? undefined : this.#pick(uuids);
      machine.macs = this.#someMacs();
    };
    const events: (() => void)[] = [
      () => this.#make(),
      () => this.#destroy(machine),
      () => {
        machine.name = this.#pick(names);
      },
      () => {
        machine.number = this.#freeNumber(machine.cluster);
      },
      body,
      () => {
        // The number goes to another machine.
        this.#graves.push({ ...machine });
        body();
        machine.name = this.#pick(names);
      },
      () => {
        this.#machines.push({
          ...machine,
          number: this.#freeNumber(machine.cluster),
          name: this.#chance(0.6) ? machine.name : this.#pick(names),
        });
      },
      () => {
        machine.isContainer = !machine.isContainer;
        body();
        if (this.#chance(0.3)) machine.name = this.#pick(names);
      },
      () => {
        machine.power = this.#pick(powers);
        machine.cores = this.#pick([1, 2, 4]);
      },
      () => {
        const back = this.#graves.pop();
        if (!back) return;
        const isFree = !this.#machines.some(
          ({ cluster, number }) => cluster === back.cluster && number === back.number,
        );
        const isRenumbered = this.#chance(0.5) || !isFree;
        this.#machines.push({ ...back, number: isRenumbered ? this.#freeNumber(back.cluster) : back.number });
      },
      () => {
        if (!machine.cluster) return;
        machine.cluster = machine.cluster === 'home' ? 'ranch' : 'home';
        machine.number = this.#freeNumber(machine.cluster);
        machine.site = this.#siteOf[machine.cluster];
      },
    ];
    this.#pick(events)();
  }

  #destroy(machine: Machine): void {
    this.#machines = this.#machines.filter((one) => one !== machine);
    this.#graves.push(machine);
  }

  // What is said of it

  #step(): Step {
    const passes: { source: string; complete: boolean }[] = [];
    const observations: Observed[] = [];
    const read = (source: string, said: Observed[], probability: number) => {
      if (!this.#chance(probability)) return;
      const isPass = this.#chance(0.8);
      const complete = isPass && this.#chance(0.85);
      if (isPass) passes.push({ source, complete });
      const heard = this.#chance(0.04) ? [] : complete ? said : this.#some(said, 0.6);
      observations.push(...heard.map((one) => this.#slip(one)));
    };
    read('proxmox-api:home', this.#guests('home'), 0.7);
    read('proxmox-api:ranch', this.#guests('ranch'), 0.5);
    for (const source of ['terraform:a', 'terraform:b']) {
      this.#plan(source);
      read(
        source,
        [...this.#resources.values()].filter((one) => one.source === source),
        0.3,
      );
    }
    this.#note();
    read('import:hosts.ini', [...this.#inventory.values()], 0.35);
    if (this.#chance(0.4))
      observations.push(...this.#some(this.#machines, 0.5).map((machine) => this.#slip(this.#facts(machine))));
    this.#said.push(...observations);
    // As the store hears them: what comes by itself, then reading by reading.
    const turnOf = ({ source }: Observed) => passes.findIndex((pass) => pass.source === source);
    const heard = oncePerKey(shuffled(observations, this.#random)).sort((a, b) => turnOf(a) - turnOf(b));
    return {
      at: this.#time(0),
      ...(passes.length === 0 ? {} : { pass: passes }),
      ...(this.#chance(0.5) ? { permute: true } : {}),
      observations: heard,
    };
  }

  /** A play gathers facts, for which the inventory gave ids a while before. */
  #play({ items }: Standing): void {
    this.#minutes += this.#pick(clocks);
    const served = new Set(items.flat());
    const observations = this.#some(this.#machines, 0.6).map((machine) =>
      this.#slip(this.#withId(this.#facts(machine), served)),
    );
    if (observations.length === 0) return;
    this.#said.push(...observations);
    this.#say({ at: this.#time(0), observations: oncePerKey(observations) });
  }

  /** In a lab where everything happens one by one, a step becomes several. */
  #say(step: Step): void {
    if (!this.#isOneByOne) {
      this.#estate.steps.push(step);
      return;
    }
    const { observations = [], pass } = step;
    const passes = [pass ?? []].flat();
    for (const one of observations)
      if (!passes.some(({ source }) => source === one.source)) this.#next({ observations: [one] });
    for (const reading of passes)
      this.#next({ pass: reading, observations: observations.filter(({ source }) => source === reading.source) });
  }

  #next(step: Omit<Step, 'at'>): void {
    this.#minutes += 1;
    this.#estate.steps.push({ at: this.#time(0), ...step });
  }

  #time(minutesLater: number): string {
    const at = Temporal.Instant.from('2026-03-02T00:00:00Z').add({ minutes: this.#minutes + minutesLater });
    return at.toString();
  }

  #guests(cluster: 'home' | 'ranch'): Observed[] {
    return this.#machines
      .filter((machine) => machine.cluster === cluster)
      .map((machine) => ({
        source: `proxmox-api:${cluster}`,
        key: `${cluster}/${machine.isContainer ? 'lxc' : 'qemu'}/${machine.number}`,
        ci_type: machine.isContainer ? 'lxc_container' : 'virtual_machine',
        ci_name: machine.name,
        site_id: machine.site,
        identifiers: {
          pve: `${cluster}/${machine.number}`,
          ...(machine.uuid ? { uuid: machine.uuid } : {}),
          ...(machine.macs.length > 0 ? { mac: machine.macs } : {}),
        },
        power: machine.power,
        specs: { node: 'pve1', vmid: machine.number, cpu_cores: machine.cores },
        ...(this.#chance(0.2) ? { tags: this.#some(tags, 0.5) } : {}),
      }));
  }

  /** Terraform knows numbers, and goes on saying what it planned. */
  #plan(source: string): void {
    const guests = this.#machines.filter(({ cluster }) => cluster !== null);
    for (const machine of this.#some(guests, 0.3)) {
      const key = `vm.${machine.name}`;
      const identifiers: Observed['identifiers'] = {
        ...(this.#chance(0.8) ? { pve: `${machine.cluster}/${machine.number}` } : {}),
        ...(machine.uuid && this.#chance(0.15) ? { uuid: machine.uuid } : {}),
        ...(machine.macs.length > 0 && this.#chance(0.3) ? { mac: machine.macs } : {}),
      };
      this.#resources.set(`${source} ${key}`, {
        source,
        key,
        ci_type: machine.isContainer ? 'lxc_container' : 'virtual_machine',
        ci_name: machine.name,
        site_id: machine.site,
        identifiers,
        lifecycle: this.#pick(['active', 'active', 'active', 'planned']),
        specs: { cpu_cores: this.#pick([2, 4]) },
        managed_by: 'terraform',
        ...(this.#chance(0.2) ? { environment: this.#pick(['production', 'test']) } : {}),
        ...(this.#chance(0.2) ? { tags: [this.#pick(tags)] } : {}),
      });
    }
    if (this.#chance(0.2)) this.#resources.delete(this.#pick([...this.#resources.keys()]));
  }

  #note(): void {
    for (const machine of this.#some(this.#machines, 0.25)) {
      const isLong = this.#chance(0.2);
      const key = isLong ? `${machine.name}.home.lab` : machine.name;
      this.#inventory.set(key, {
        source: 'import:hosts.ini',
        key,
        ci_type: this.#pick(['machine', 'machine', 'machine', 'physical_server']),
        ci_name: key,
        site_id: machine.site,
        identifiers: {
          ...(machine.macs.length > 0 && this.#chance(0.3) ? { mac: machine.macs } : {}),
          ...(machine.uuid && this.#chance(0.1) ? { uuid: machine.uuid } : {}),
          ...(machine.serial && this.#chance(0.3) ? { serial: machine.serial } : {}),
        },
        ...(this.#chance(0.3) ? { role: this.#pick(['database', 'proxy']) } : {}),
        ...(this.#chance(0.2) ? { environment: this.#pick(['production', 'test']) } : {}),
      });
    }
    if (this.#chance(0.2)) this.#inventory.delete(this.#pick([...this.#inventory.keys()]));
  }

  #facts(machine: Machine): Observed {
    const isHostile = this.#chance(0.08);
    const other = this.#pick(this.#machines);
    const { uuid, serial, macs: own } = isHostile ? other : machine;
    return {
      source: 'ansible:facts',
      key: machine.name,
      ci_type:
        machine.isContainer && this.#chance(0.8)
          ? 'lxc_container'
          : this.#pick(['machine', 'machine', 'virtual_machine']),
      ci_name: machine.name,
      site_id: machine.site,
      ...(machine.isContainer && this.#chance(0.5) ? { container: true } : {}),
      identifiers: {
        ...(uuid && this.#chance(0.8)
          ? { uuid }
          : machine.isContainer && this.#chance(0.4)
            ? { uuid: uuids[0] as string }
            : {}),
        ...(serial ? { serial } : {}),
        ...(own.length > 0 && this.#chance(0.85) ? { mac: own } : {}),
        machine_id: machine.machineId,
        ...(this.#chance(0.4)
          ? { fqdn: `${machine.name}.${this.#pick(['home.lab', 'home.lab', 'example.org'])}` }
          : {}),
      },
      specs: { os: this.#pick(['Debian', 'Alpine']), cpu_cores: machine.cores },
    };
  }

  #withId(facts: Observed, served: ReadonlySet<string>): Observed {
    const known = this.#said.filter(
      ({ source, key, ci_name, site_id }) =>
        served.has(`${source} ${key}`) &&
        source !== facts.source &&
        ci_name === facts.ci_name &&
        site_id === facts.site_id,
    );
    if (known.length === 0 || this.#chance(0.3)) return facts;
    const { source, key } = this.#pick(known);
    return { ...facts, given: `${source} ${key}` };
  }

  /** Not everything is said as it is. */
  #slip(one: Observed): Observed {
    if (this.#chance(0.88)) return one;
    const isProxmox = one.source.startsWith('proxmox');
    const { identifiers = {} } = one;
    const slips: (() => Observed)[] = [
      () => ({ ...one, ci_name: this.#pick(names) }),
      () => ({ ...one, partial: true, identifiers: isProxmox && identifiers.pve ? { pve: identifiers.pve } : {} }),
      () => ({ ...one, identifiers: { ...identifiers, mac: [this.#pick(macs)] } }),
      () => ({ ...one, identifiers: { ...identifiers, uuid: this.#pick(uuids) } }),
      () => ({ ...one, identifiers: { ...identifiers, serial: this.#pick(serials) } }),
      () =>
        isProxmox
          ? { ...one, power: this.#pick(powers) }
          : { ...one, site_id: this.#pick(['site-home', 'site-ranch']) },
      () =>
        isProxmox
          ? one
          : { ...one, identifiers: { ...identifiers, pve: `${this.#pick(['home', 'ranch'])}/${this.#pick(numbers)}` } },
    ];
    return this.#pick(slips)();
  }

  /** Something that was said before, or a little else, comes late, and by itself. */
  #hearLate(): void {
    if (this.#said.length === 0) return;
    this.#minutes += this.#pick(clocks);
    const { given: _, ...one } = this.#pick(this.#said);
    const late = { ...this.#slip(one), at: this.#time(-this.#pick([1, 30, 2000])) };
    this.#estate.steps.push({ at: this.#time(0), observations: [late] });
  }

  // What people do

  #action(standing: Standing): Step['action'] | undefined {
    const { items, dead, conflicts, held } = standing;
    const all = items.flat();
    if (all.length === 0) return undefined;
    const item = this.#pick(items);
    const ci = this.#pick(item);
    const others = items.filter((one) => one !== item);
    const puts: Record<string, unknown>[] = [
      { environment: this.#pick(['production', 'test', null]) },
      { role: this.#pick(['database', 'proxy', null]) },
      { tags: this.#some(tags, 0.5) },
      { owner: this.#pick(['bob', null]) },
      { ci_status: this.#pick(['retired', 'maintenance', 'active', 'planned']) },
      { ci_name: this.#pick(names) },
      { specs: { cpu_cores: this.#pick([2, 8]), rack: 'r1' } },
    ];
    const pins = [
      { attribute: 'environment', value: 'production' },
      { attribute: 'specs.cpu_cores', value: 16 },
    ];
    const actions: (() => Step['action'] | undefined)[] = [
      () => ({ put: { ci, by: 'manual:alice', body: this.#pick(puts) } }),
      () => ({ put: { ci, by: this.#pick(['manual:alice', 'terraform:ci']), body: { ci_status: 'retired' } } }),
      () => ({ pin: { ci, ...this.#pick(pins), ...this.#until() } }),
      () => ({ hold: { ci, by: 'manual:alice', reason: 'because', ...this.#until() } }),
      () => ({ release: { ci } }),
      () => {
        const tagged = tags.filter((tag) => standing.tags.get(item[0] as string)?.includes(tag));
        return tagged.length > 0 ? { untag: { ci, tag: this.#pick(tagged) } } : undefined;
      },
      () => {
        const one = conflicts.length > 0 ? this.#pick(conflicts) : undefined;
        const candidates = one?.candidates.filter((ref) => all.includes(ref)) ?? [];
        if (!one || candidates.length === 0) return undefined;
        if (this.#chance(0.4)) return { resolve: { claim: one.claim, decision: 'apart' } };
        return { resolve: { claim: one.claim, decision: 'same', with: this.#pick(candidates) } };
      },
      () => (others.length > 0 ? { merge: { into: ci, other: this.#pick(this.#pick(others)) } } : undefined),
      () => (item.length > 1 ? { split: { claims: [ci] } } : undefined),
      () => {
        const gone = items.filter((one) => dead.has(one[0] as string));
        const living = items.filter((one) => !dead.has(one[0] as string));
        if (gone.length === 0 || living.length === 0) return undefined;
        return { adopt: { into: this.#pick(this.#pick(living)), from: this.#pick(this.#pick(gone)) } };
      },
      () => (held.length > 0 ? { accept: { source: this.#pick(held) } } : undefined),
      () => ({ withdraw: { source: this.#pick(all).split(' ')[0] as string } }),
    ];
    return this.#pick(actions)();
  }

  #until(): { until?: string } {
    return this.#chance(0.5) ? { until: this.#time(this.#pick([30, 600, 5000])) } : {};
  }

  get seed(): number {
    return this.#seed;
  }
}

function oncePerKey(observations: readonly Observed[]): Observed[] {
  const seen = new Map(observations.map((one) => [`${one.source} ${one.key}`, one]));
  return [...seen.values()];
}
