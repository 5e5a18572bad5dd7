/**
 * Imported before everything else: until an instance hears SIGHUP itself, it must not end it. One that comes so
 * early asks for a file that has not been read yet.
 */
if (process.argv[2] === 'start') process.on('SIGHUP', () => {});
