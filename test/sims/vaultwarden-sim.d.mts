/** What tests use of the simulator; it is JavaScript, so that it runs wherever Node does. */

export interface VaultwardenSim {
  url: string;
  port: number;
  email: string;
  password: string;
  state: {
    mode: 'ok' | '500' | '401' | '429' | 'hang';
    requests: { method: string; path: string }[];
  };
  close: () => Promise<void>;
}

export interface VaultwardenSimOptions {
  /** The file of the vault, which is read at each request. */
  vault: string;
  cert: Buffer | string;
  key: Buffer | string;
  port?: number;
  host?: string;
}

export function startVaultwardenSim(options: VaultwardenSimOptions): Promise<VaultwardenSim>;
