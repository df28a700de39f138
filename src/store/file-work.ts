/**
 * A program of its own: copies a database, or reads it through. For a large one that takes seconds, in which the service
 * that wants it has others to answer. Prints how it went as JSON.
 */

import Sqlite from 'better-sqlite3';

const [work, file = '', target = ''] = process.argv.slice(2);
try {
  const database = new Sqlite(file, { readonly: true, fileMustExist: true });
  if (work === 'copy') {
    // An open read keeps the state that is copied: writes meanwhile do not make the copy begin anew.
    database.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
    await database.backup(target);
    const copy = new Sqlite(target);
    copy.pragma('journal_mode = DELETE');
    copy.close();
  }
  const said = work === 'check' ? String(database.pragma('integrity_check', { simple: true })) : 'ok';
  database.close();
  print({ said });
} catch (error) {
  if (!(error instanceof Sqlite.SqliteError)) throw error;
  print({ code: error.code });
}

function print(found: { said: string } | { code: string }): void {
  process.stdout.write(JSON.stringify(found));
}
