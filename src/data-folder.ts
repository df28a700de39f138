/** What is called how in the folder of the data, for the service and for those who look for it. */

export interface TokenFiles {
  admin: string;
  ansible: string;
}

export function tokenFiles(folder: string): TokenFiles {
  return { admin: `${folder}/admin.token`, ansible: `${folder}/ansible.token` };
}

/** Where the service writes its address while it runs, whatever it listens on; one that was killed leaves it. */
export function addressFile(folder: string): string {
  return `${folder}/service.url`;
}
