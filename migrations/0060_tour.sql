-- 0060_tour: who has said that they need the first steps no more.

-- +goose Up
CREATE TABLE tour_ended (
    person_id uuid PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tour_ended IS 'People to whom their first page shows no first steps, until they ask for them again.';

-- +goose Down
DROP TABLE tour_ended;
