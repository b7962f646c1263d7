/** Projects of five servers each. */
const PROJECTS = 40;

/**
 * An nginx.conf of 5,057 lines with 200 servers, as a machine with many projects has it: redirects to https, Django behind gunicorn with
 * static files and an area for staff, an API with limits and CORS, a single page application with PHP beside it, and downloads.
 */
export function largeNginxConf() {
  const projects = Array.from({ length: PROJECTS }, (_, index) => projectOf(`project${index}`, 8000 + index));
  return `${HEAD}${projects.join('')}}\n`;
}

const HEAD = `user www-data;
worker_processes auto;
pid /run/nginx.pid;

events {
    worker_connections 4096;
}

http {
    include mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log combined;
    error_log /var/log/nginx/error.log warn;

    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    server_tokens off;
    keepalive_timeout 65;
    client_max_body_size 8m;
    client_body_timeout 30s;
    client_header_timeout 30s;

    gzip on;
    gzip_vary on;
    gzip_min_length 1024;
    gzip_types text/css application/javascript application/json image/svg+xml;

    ssl_certificate /etc/ssl/example.pem;
    ssl_certificate_key /etc/ssl/example.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers off;
    ssl_session_cache shared:sessions:10m;
    ssl_session_timeout 1d;

    proxy_connect_timeout 5s;
    proxy_read_timeout 60s;
    proxy_send_timeout 60s;

    limit_req_zone $binary_remote_addr zone=api:10m rate=20r/s;
    limit_conn_zone $binary_remote_addr zone=downloads:10m;

    map $http_upgrade $connection_upgrade {
        default upgrade;
        '' close;
    }
    map $http_origin $cors_origin {
        default '';
        https://app.example.org $http_origin;
        ~^https://[a-z]+\\.partner\\.example$ $http_origin;
    }
    map $http_user_agent $is_robot {
        default 0;
        ~*(?:badbot|scraper) 1;
    }

`;

function projectOf(name, port) {
  return `    upstream ${name} {
        server 10.0.0.1:${port};
        server 10.0.0.2:${port} max_fails=3 fail_timeout=10s;
        keepalive 16;
    }
    server {
        listen 80;
        server_name ${name}.example.org www.${name}.example.org;
        location /.well-known/acme-challenge/ {
            root /var/www/letsencrypt;
        }
        location / {
            return 301 https://$host$request_uri;
        }
    }
    server {
        listen 443 ssl;
        server_name ${name}.example.org www.${name}.example.org;
        client_max_body_size 20m;
        add_header X-Frame-Options DENY;
        add_header Strict-Transport-Security "max-age=31536000" always;
        if ($is_robot) {
            return 403;
        }
        location = /favicon.ico {
            alias /srv/${name}/static/favicon.ico;
            access_log off;
        }
        location = /robots.txt {
            default_type text/plain;
            return 200 "User-agent: *\\nDisallow: /staff/\\n";
        }
        location = /health {
            access_log off;
            return 204;
        }
        location /old-shop/ {
            rewrite ^/old-shop/(.*)$ /shop/$1 permanent;
        }
        location /static/ {
            alias /srv/${name}/static/;
            expires 30d;
        }
        location ^~ /media/ {
            alias /srv/${name}/media/;
        }
        location ~ /\\.(?!well-known) {
            deny all;
        }
        location /staff/ {
            allow 10.0.0.0/8;
            allow 192.0.2.0/24;
            deny all;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_pass http://${name};
        }
        location /events/ {
            proxy_set_header Host $host;
            proxy_buffering off;
            proxy_read_timeout 1h;
            proxy_pass http://${name};
        }
        location / {
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_http_version 1.1;
            proxy_pass http://${name};
        }
    }
    server {
        listen 443 ssl;
        server_name api.${name}.example.org;
        rewrite ^/v1/(.*)$ /v2/$1 last;
        location /v2/ {
            limit_req zone=api burst=40 nodelay;
            add_header Access-Control-Allow-Origin $cors_origin always;
            if ($request_method = OPTIONS) {
                return 204;
            }
            proxy_set_header Host $host;
            proxy_set_header X-Request-Id $request_id;
            proxy_pass http://${name}/api/;
        }
        location / {
            return 404;
        }
    }
    server {
        listen 443 ssl;
        server_name app.${name}.example.org;
        root /srv/${name}/app;
        index index.html index.php;
        error_page 404 /404.html;
        client_max_body_size 1m;
        location / {
            try_files $uri $uri/ /index.html;
        }
        location ~* \\.(?:css|js|svg|woff2)$ {
            add_header Cache-Control "public, max-age=31536000, immutable";
        }
        location ~ \\.php$ {
            include fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            fastcgi_pass unix:/run/php/${name}.sock;
        }
    }
    server {
        listen 443 ssl;
        server_name files.${name}.example.org;
        root /srv/${name}/files;
        auth_basic "Files of ${name}";
        auth_basic_user_file /etc/nginx/${name}.htpasswd;
        location / {
            limit_conn downloads 4;
            autoindex on;
        }
        location /public/ {
            auth_basic off;
        }
    }
`;
}
