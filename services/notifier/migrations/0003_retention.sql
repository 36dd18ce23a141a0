-- What ended long ago is forgotten; that it happened stays in audit's trail.

grant delete on mails, letters to notifier;
