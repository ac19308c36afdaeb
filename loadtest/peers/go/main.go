// The endpoints of tenk's load test on Go: net/http, and pgx with a pool. PORT, and PG... as libpq has them.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v4/pgxpool"
)

const (
	userByID    = "select id, name, email, created_at from users where id = $1"
	postsByUser = "select id, title, body, created_at from posts where user_id = $1 order by id desc limit 21"
)

type user struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Email   string `json:"email"`
	Created int64  `json:"created_at"`
}

type post struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Body    string `json:"body"`
	Created int64  `json:"created_at"`
}

type page struct {
	User     user    `json:"user"`
	Posts    []post  `json:"posts"`
	Previous *string `json:"previous"`
	Next     *string `json:"next"`
}

var pool *pgxpool.Pool

func answer(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

func answerJSON(w http.ResponseWriter, value interface{}) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, "application/json", body)
}

func postsOf(ctx context.Context, id int64) ([]post, error) {
	rows, err := pool.Query(ctx, postsByUser, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	posts := make([]post, 0, 21)
	for rows.Next() {
		var p post
		if err := rows.Scan(&p.ID, &p.Title, &p.Body, &p.Created); err != nil {
			return nil, err
		}
		posts = append(posts, p)
	}
	return posts, rows.Err()
}

// The two queries run side by side, on two connections.
func showUser(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(strings.TrimPrefix(r.URL.Path, "/users/"), 10, 64)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	var p page
	failed := make(chan error, 1)
	go func() {
		var err error
		p.Posts, err = postsOf(r.Context(), id)
		failed <- err
	}()
	u := &p.User
	err = pool.QueryRow(r.Context(), userByID, id).Scan(&u.ID, &u.Name, &u.Email, &u.Created)
	if postsErr := <-failed; err == nil {
		err = postsErr
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if len(p.Posts) > 20 {
		p.Posts = p.Posts[:20]
		next := "/users/" + strconv.FormatInt(id, 10) + "?page=2"
		p.Next = &next
	}
	answerJSON(w, &p)
}

func main() {
	runtime.GOMAXPROCS(1)
	config, err := pgxpool.ParseConfig("pool_max_conns=16 sslmode=disable")
	if err != nil {
		log.Fatal(err)
	}
	config.LazyConnect = true
	if pool, err = pgxpool.ConnectConfig(context.Background(), config); err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/plaintext", func(w http.ResponseWriter, r *http.Request) { answer(w, "text/plain", []byte("Hello, World!")) })
	http.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		answerJSON(w, map[string]string{"message": "Hello, World!"})
	})
	http.HandleFunc("/users/", showUser)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
