# Makes each service's database with its two roles, or gives the roles their passwords anew; needs psql and the secrets.
set -eu
secrets=${CREDENTIALS_DIRECTORY:-/run/secrets}
PGPASSWORD=$(cat "$secrets/postgres_password")
export PGPASSWORD

for service in identity accounts applications notifier audit; do
    for role in "$service" "${service}_owner"; do
        login=$(cat "$secrets/${role}_database_url")
        login=${login#*://*:}
        PASSWORD=${login%%@*} psql -qX -v ON_ERROR_STOP=1 -v role="$role" <<'SQL'
\getenv password PASSWORD
select format('create role %I login', :'role') where not exists (select from pg_roles where rolname = :'role') \gexec
alter role :"role" password :'password';
SQL
    done
    psql -qX -v ON_ERROR_STOP=1 -v name="$service" <<'SQL'
select format('create database %I owner %I template template0 encoding ''UTF8'' locale ''C.UTF-8''', :'name', :'name' || '_owner')
 where not exists (select from pg_database where datname = :'name') \gexec
SQL
    echo "database $service is there"
done
